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
    // A file of authorities may have several; a chain is the handshake's to follow.
    const issuers = certificatesIn(`${cert}\n${ca}`);
    const isIssued = issuers.some((each) => own.checkIssued(each) && own.verify(each.publicKey));
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

function isKeyOf(cert: X509Certificate, key: string): boolean {
  return cert.checkPrivateKey(createPrivateKey(key));
}

function certificatesIn(text: string): X509Certificate[] {
  const all = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return all.map((each) => new X509Certificate(each));
}
