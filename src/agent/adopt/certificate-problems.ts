/** Whether servers that start with the certificates of the spec are believed by the others. Reads no file. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { errorText } from '../../base/errors.ts';
import type { TlsTexts } from '../../redis/endpoint.ts';
import { addressKind } from '../../spec/address.ts';
import type { Host, Spec } from '../../spec/spec.ts';

/** @returns what is wrong with them for this host, a sentence each */
export function certificateProblems(
  { hosts, security }: Pick<Spec, 'hosts' | 'security'>,
  host: string,
  { cert, key, ca }: TlsTexts,
  now: Date,
): string[] {
  const { address } = hosts.find(({ id }) => id === host) as Host;
  const file = security.tls?.cert ?? '';
  try {
    const own = new X509Certificate(cert);
    const isIssued = leadsTo(own, certificatesIn(cert).slice(1), certificatesIn(ca));
    const names = addressKind(address) === 'ip' ? own.checkIP(address) : own.checkHost(address);
    const problems: string[] = [];
    if (!isIssued) problems.push(`${file} was not made by an authority of ${security.tls?.ca}`);
    if (names === undefined)
      problems.push(`${file} is good for ${own.subjectAltName ?? 'no name'}, and this host is ${address}`);
    if (new Date(own.validTo) < now) problems.push(`${file} was valid until ${own.validTo}`);
    if (!isKeyOf(own, key)) problems.push(`${security.tls?.key} is the key of another certificate`);
    return problems;
  } catch (error) {
    return [`${file} can't be read as a certificate: ${errorText(error)}`];
  }
}

/** @param between that the server shows with its own. @param authorities of which a file may have several */
function leadsTo(
  cert: X509Certificate,
  between: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): boolean {
  const isIssuer = (each: X509Certificate) => cert.checkIssued(each) && cert.verify(each.publicKey);
  if (authorities.some(isIssuer)) return true;
  const next = between.find(isIssuer);
  if (next === undefined) return false;
  const left = between.filter((each) => each !== next);
  return leadsTo(next, left, authorities);
}

function isKeyOf(cert: X509Certificate, key: string): boolean {
  return cert.checkPrivateKey(createPrivateKey(key));
}

function certificatesIn(text: string): X509Certificate[] {
  const all = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return all.map((each) => new X509Certificate(each));
}
