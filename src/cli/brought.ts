import type { OwnCertificates } from '../certs/own-authority.ts';
import { accessesOf, apiTlsFilesThere, type Brought, tlsFilesThere } from '../fleet/plan/wanted.ts';
import { readPem } from '../redis/tls.ts';
import { readPasswords, readSecret } from '../spec/secrets.ts';
import type { Host, Spec, TlsFiles } from '../spec/spec.ts';
import { certificatesOf } from './own-certificates.ts';

/**
 * What the spec names of this machine: files, and variables of the environment.
 * @param hosts who gets certificates: those too that go on the way to the spec
 * @throws SECRET_UNAVAILABLE, TLS_FILE_UNREADABLE
 */
export function broughtBy(
  spec: Spec,
  own: OwnCertificates | null = certificatesOf(spec),
  hosts: readonly Host[] = spec.hosts,
): Brought {
  const { users, former } = readPasswords(spec, process.env);
  return {
    users,
    formerUsers: former,
    elsewhere: Object.fromEntries(
      accessesOf(spec).map(({ key, path, password, ca }) => {
        const word = password && readSecret(password, `${path}.password`, process.env);
        return [key, { password: word, ca: ca && text(path, ca) }];
      }),
    ),
    tls: certificateTexts(spec, own, hosts),
    isNewAuthority: own?.isNew ?? false,
  };
}

function certificateTexts(spec: Spec, own: OwnCertificates | null, hosts: readonly Host[]): Brought['tls'] {
  const servers = tlsFilesThere(spec);
  const named = [
    ...(own === null ? textsOf('security.tls', spec.security.tls, servers) : []),
    ...textsOf('agent.tls', isOther(spec) ? spec.agent.tls : null, apiTlsFilesThere(spec)),
  ];
  const texts = hosts.map(({ id }): [string, Record<string, string>] => {
    const pair = own?.hosts.get(id);
    const made =
      own === null || pair === undefined || servers === null
        ? {}
        : { [servers.cert]: pair, [servers.ca]: own.ca };
    return [id, { ...Object.fromEntries(named), ...made }];
  });
  return new Map(texts);
}

/** Whether `agent.tls` names files of its own. */
function isOther(spec: Spec): boolean {
  return apiTlsFilesThere(spec)?.cert !== tlsFilesThere(spec)?.cert;
}

function textsOf(
  section: string,
  here: TlsFiles | null,
  there: TlsFiles | null,
): [path: string, text: string][] {
  if (here === null || there === null) return [];
  return (['cert', 'key', 'ca'] as const).map((each) => [there[each], text(section, here[each])]);
}

/** @throws TLS_FILE_UNREADABLE */
function text(section: string, file: string): string {
  return readPem(`${section}, which is brought to the hosts from this machine`, file);
}
