import { readFileSync } from 'node:fs';
import type { Brought } from '../fleet/plan/wanted.ts';
import { readPasswords, readSecret } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';

/** What the spec names of this machine: files, and variables of the environment. */
export function broughtBy(spec: Spec): Brought {
  const { users, former } = readPasswords(spec, process.env);
  const text = (file: string) => readFileSync(file, 'utf8');
  const { tls } = spec.security;
  return {
    users,
    formerUsers: former,
    mirrors: Object.fromEntries(
      spec.mirrors.map(({ name, password, ca }) => {
        const word = password && readSecret(password, `mirrors.${name}.password`, process.env);
        return [name, { password: word, ca: ca && text(ca) }];
      }),
    ),
    tls: tls && { cert: text(tls.cert), key: text(tls.key), ca: text(tls.ca) },
  };
}
