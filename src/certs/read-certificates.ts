import { X509Certificate } from 'node:crypto';
import { errorText } from '../base/errors.ts';
import { readNamedFile } from '../base/private-file.ts';
import { authorityFiles, filesOfHost } from '../spec/authority-files.ts';
import type { Spec } from '../spec/spec.ts';

export interface ShownCertificate {
  /** A host, `authority`, `servers` or `API`. */
  of: string;
  file: string;
  /** DNS names and addresses that it is good for; none for an authority. */
  names: string[];
  /** ISO 8601; null when it can't be read, and `error` says why. */
  validFrom: string | null;
  validTo: string | null;
  error: string | null;
}

/** Every certificate that the spec names, or that the deployment's own authority is to make. */
export function readCertificates({ hosts, security, agent }: Spec): ShownCertificate[] {
  const { authority, tls } = security;
  const own =
    authority === null
      ? []
      : [
          readOne('authority', authorityFiles(authority).cert),
          ...hosts.map(({ id }) => readOne(id, filesOfHost(authority, id).cert)),
        ];
  const named =
    tls === null || authority !== null ? [] : [readOne('servers', tls.cert), readOne('authority', tls.ca)];
  const isOther = agent.tls !== null && agent.tls.cert !== tls?.cert;
  const api =
    agent.tls !== null && isOther ? [readOne('API', agent.tls.cert), readOne('authority', agent.tls.ca)] : [];
  const all = [...own, ...named, ...api];
  return all.filter(
    ({ of, file }, at) => all.findIndex((each) => each.of === of && each.file === file) === at,
  );
}

function readOne(of: string, file: string): ShownCertificate {
  try {
    const cert = new X509Certificate(readNamedFile(file));
    const [validFrom, validTo] = [cert.validFrom, cert.validTo].map((date) => new Date(date).toISOString());
    return {
      of,
      file,
      names: namesIn(cert),
      validFrom: validFrom ?? null,
      validTo: validTo ?? null,
      error: null,
    };
  } catch (error) {
    return { of, file, names: [], validFrom: null, validTo: null, error: errorText(error) };
  }
}

function namesIn({ subjectAltName }: X509Certificate): string[] {
  return (subjectAltName ?? '')
    .split(', ')
    .flatMap((name) => /^(?:DNS|IP Address):(\S+)$/.exec(name)?.[1] ?? []);
}
