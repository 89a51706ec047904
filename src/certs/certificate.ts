/**
 * X.509 certificates (RFC 5280) with keys on the curve P-256: an authority's own, and those that it makes for hosts.
 *
 * - A certificate is what is signed, the algorithm, and the signature (4.1). Extensions need version 3, which is written 2.
 * - An authority's says so (basicConstraints), may sign certificates, and none below it may be an authority.
 * - A host's is good for servers and for clients, because servers show theirs to each other. It names its host in
 *   subjectAltName only: who checks looks nowhere else (RFC 6125, 6.4.4).
 * - The key that signed is named by the digest of it (4.2.1.2), so that an authority's certificate may be renewed with the
 *   same key, and what it made stays good.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { isIP } from 'node:net';
import { bits, der, isTrue, objectId, octets, sequence, set, time, unsigned, utf8 } from './der.ts';

/** PEM texts. */
interface Issued {
  cert: string;
  key: string;
}

export interface Validity {
  fromMs: number;
  toMs: number;
}

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'));

export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The certificate of an authority, made by itself. @param key its private one, PEM */
export function authorityCertificate(name: string, key: string, validity: Validity): string {
  const extensions = [
    extension('2.5.29.19', sequence(isTrue, unsigned(Buffer.from([0]))), true),
    // keyCertSign and cRLSign.
    extension('2.5.29.15', bits(Buffer.from([0x06]), 1), true),
    extension('2.5.29.14', octets(keyId(key))),
  ];
  return certificate({ subject: name, issuer: name, publicKey: publicKeyOf(key), validity, extensions }, key);
}

/** @param names DNS names and addresses of the host; @param authority its name and private key */
export function hostCertificate(
  { subject, names, validity }: { subject: string; names: readonly string[]; validity: Validity },
  authority: IssuingAuthority,
): Issued {
  const own = [
    extension('2.5.29.37', sequence(objectId(serverAuth), objectId(clientAuth))),
    extension('2.5.29.17', sequence(...names.map(alternativeName))),
  ];
  return issue({ subject, validity }, own, authority);
}

/** Of a program that connects, and is connected to by nobody. */
export function clientCertificate(
  { subject, validity }: { subject: string; validity: Validity },
  authority: IssuingAuthority,
): Issued {
  return issue({ subject, validity }, [extension('2.5.29.37', sequence(objectId(clientAuth)))], authority);
}

const [serverAuth, clientAuth] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];

interface IssuingAuthority {
  name: string;
  /** Its private one, PEM. */
  key: string;
}

function issue(
  { subject, validity }: { subject: string; validity: Validity },
  own: readonly Buffer[],
  authority: IssuingAuthority,
): Issued {
  const key = newKey();
  const extensions = [
    extension('2.5.29.19', sequence(), true),
    // digitalSignature, which is all that TLS does with a key of this kind.
    extension('2.5.29.15', bits(Buffer.from([0x80]), 7), true),
    ...own,
    extension('2.5.29.14', octets(keyId(key))),
    extension('2.5.29.35', sequence(der(0x80, keyId(authority.key)))),
  ];
  const text = { subject, issuer: authority.name, publicKey: publicKeyOf(key), validity, extensions };
  return { cert: certificate(text, authority.key), key };
}

interface CertificateText {
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  validity: Validity;
  extensions: readonly Buffer[];
}

function certificate(
  { subject, issuer, publicKey, validity, extensions }: CertificateText,
  signingKey: string,
): string {
  const toSign = sequence(
    der(0xa0, unsigned(Buffer.from([2]))),
    unsigned(randomBytes(16)),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(validity.fromMs), time(validity.toMs)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', toSign, createPrivateKey(signingKey));
  return pem(sequence(toSign, ecdsaWithSha256, bits(signature)));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** A common name and nothing else. */
function nameOf(text: string): Buffer {
  return sequence(set(sequence(objectId('2.5.4.3'), utf8(text))));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(objectId(id), ...(critical ? [isTrue] : []), octets(value));
}

function alternativeName(name: string): Buffer {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name, 'ascii')) : der(0x87, addressBytes(name));
}

/** Of an IPv6 address by way of URL, which writes it in one way only. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const words = (text: string | undefined) => (text ? text.split(':').map((each) => parseInt(each, 16)) : []);
  const [before, after] = [words(left), words(right)];
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

function publicKeyOf(key: string): KeyObject {
  return createPublicKey(createPrivateKey(key));
}

function keyId(key: string): Buffer {
  return createHash('sha1')
    .update(publicKeyOf(key).export({ type: 'spki', format: 'der' }))
    .digest();
}
