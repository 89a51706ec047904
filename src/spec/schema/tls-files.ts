import { z } from 'zod';
import * as field from '../fields.ts';

/** A certificate, its key and the authority's certificate; a rule sees to it that it is all three or none. */
export function tlsFiles(about: string) {
  return files(about).nullish();
}

/** The same, or the word that has holdfast make them. */
export function tlsFilesOrAuto(about: string) {
  const auto = z.literal('auto').describe('From an authority of the deployment’s own, beside the spec.');
  return z.union([auto, files(about)], { error: 'auto, or a map with cert, key and ca' }).nullish();
}

function files(about: string) {
  const pem = (what: string) =>
    field.text({ about: `${what}, PEM.` }, /\S/, 'the path of a PEM file').optional();
  return field.section(
    {
      cert: pem('Certificate'),
      key: pem('Private key'),
      ca: pem('Certificate of the authority'),
    },
    about,
  );
}
