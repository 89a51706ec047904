import { readFileSync } from 'node:fs';
import type { OwnCertificates } from '../certs/own-authority.ts';
import { type Brought, tlsFilesThere } from '../fleet/plan/wanted.ts';
import { readPasswords, readSecret } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { certificatesOf } from './own-certificates.ts';

/** What the spec names of this machine: files, and variables of the environment. */
export function broughtBy(spec: Spec, own: OwnCertificates | null = certificatesOf(spec)): Brought {
  const { users, former } = readPasswords(spec, process.env);
  return {
    users,
    formerUsers: former,
    mirrors: Object.fromEntries(
      spec.mirrors.map(({ name, password, ca }) => {
        const word = password && readSecret(password, `mirrors.${name}.password`, process.env);
        return [name, { password: word, ca: ca && text(ca) }];
      }),
    ),
    tls: certificateTexts(spec, own),
    isNewAuthority: own?.isNew ?? false,
  };
}

function certificateTexts(spec: Spec, own: OwnCertificates | null): Brought['tls'] {
  const [here, there] = [spec.security.tls, tlsFilesThere(spec)];
  if (here === null || there === null) return new Map();
  if (own !== null) {
    return new Map([...own.hosts].map(([host, pair]) => [host, { [there.cert]: pair, [there.ca]: own.ca }]));
  }
  const texts = { [there.cert]: text(here.cert), [there.key]: text(here.key), [there.ca]: text(here.ca) };
  return new Map(spec.hosts.map(({ id }) => [id, texts]));
}

function text(file: string): string {
  return readFileSync(file, 'utf8');
}
