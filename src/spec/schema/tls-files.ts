import * as field from '../fields.ts';

/** A certificate, its key and the authority's certificate; a rule sees to it that it is all three or none. */
export function tlsFiles(about: string) {
  const pem = (what: string) =>
    field.text({ about: `${what}, PEM.` }, /\S/, 'the path of a PEM file').optional();
  return field
    .section(
      {
        cert: pem('Certificate'),
        key: pem('Private key'),
        ca: pem('Certificate of the authority'),
      },
      about,
    )
    .nullish();
}
