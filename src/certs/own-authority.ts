/**
 * The authority of a deployment's own (`security.tls: auto`) and the certificates that it makes. Everything lies in a folder
 * beside the spec, readable by its owner only. The key of the authority never leaves it: hosts get their own certificates and
 * keys. The rules:
 *
 * - A host's certificate is good for a year, and is made anew when a third of that is left, when its host has another
 *   address, or when it is not of this authority.
 * - The authority's is good for ten years, and is made anew with the same key when two are left: what it made stays good,
 *   and so does what clients have of it, until that ends.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { errorCode, errorText } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import { authorityFiles, filesOfHost } from '../spec/authority-files.ts';
import type { Host, Spec } from '../spec/spec.ts';
import {
  authorityCertificate,
  clientCertificate,
  hostCertificate,
  newKey,
  type Validity,
} from './certificate.ts';
import { AuthorityUnusable } from './errors.ts';

const dayMs = 86_400_000;
const hostDays = 365;
const authorityDays = 3650;
/** Clocks of hosts differ. */
const backdatedMs = 3_600_000;

export interface OwnCertificates {
  ca: string;
  /** By host: the certificate and its key, PEM, one after the other. */
  hosts: ReadonlyMap<string, string>;
  /** There was no authority. */
  isNew: boolean;
  /** Hosts whose certificate is another than the one that lies in the folder. */
  renewed: readonly string[];
  /** Path and text of what is to be written. */
  files: ReadonlyMap<string, string>;
}

/**
 * What each host is to have: what lies there, or is made now. It writes nothing.
 * @param folder `spec.security.authority`; @param renew hosts whose certificates are made anew in any case
 * @throws AUTHORITY_UNUSABLE when there are certificates, and the key with which they were made is gone or can't be read
 */
export function ownCertificates(
  { name, hosts }: Pick<Spec, 'name' | 'hosts'>,
  folder: string,
  nowMs: number,
  renew: 'due' | 'all' = 'due',
): OwnCertificates {
  const files = new Map<string, string>();
  const authority = authorityOf(name, folder, nowMs, files);
  const made = hosts.map((host) => {
    const { cert: file } = filesOfHost(folder, host.id);
    const there = textOf(file);
    const isKept = renew === 'due' && there !== undefined && isGood(there, host, authority.cert, nowMs);
    if (isKept) return { host: host.id, text: there, isMade: false };
    const text = make(name, host, authority, nowMs);
    files.set(file, text);
    return { host: host.id, text, isMade: true };
  });
  return {
    ca: authority.cert,
    hosts: new Map(made.map(({ host, text }) => [host, text])),
    isNew: authority.isNew,
    renewed: made.filter(({ isMade }) => isMade).map(({ host }) => host),
    files,
  };
}

/**
 * One for a program that connects to gates with `clientCertificates: required`: its certificate and key, PEM, one after the other.
 * It is kept nowhere. @throws AUTHORITY_UNUSABLE where there is no authority, or its key is elsewhere
 */
export function ownClientCertificate(
  { name }: Pick<Spec, 'name'>,
  folder: string,
  client: string,
  nowMs: number,
): string {
  const { cert: certFile } = authorityFiles(folder);
  if (textOf(certFile) === undefined) {
    throw AuthorityUnusable(`${certFile} is not there: no authority was made yet`, {
      hint: 'holdfast apply makes it, or holdfast up on one machine.',
    });
  }
  const { key } = authorityOf(name, folder, nowMs, new Map());
  const issued = clientCertificate(
    { subject: `${name} client ${client}`.slice(0, 64), validity: validity(nowMs, hostDays) },
    { name: authorityName(name), key },
  );
  return `${issued.cert}${issued.key}`;
}

/** Writes what is new, the authority's key first. */
export async function keepCertificates(folder: string, { files }: OwnCertificates): Promise<void> {
  if (files.size === 0) return;
  // Specs are kept in repositories, and keys must not be.
  await writeFileAtomic(`${folder}/.gitignore`, '*\n');
  for (const [file, text] of files) await writeFileAtomic(file, text);
}

interface Authority {
  cert: string;
  key: string;
  isNew: boolean;
}

function authorityOf(name: string, folder: string, nowMs: number, files: Map<string, string>): Authority {
  const { cert: certFile, key: keyFile } = authorityFiles(folder);
  const [there, key] = [textOf(certFile), textOf(keyFile)];
  if (there !== undefined && key === undefined) {
    throw AuthorityUnusable(`${certFile} is there, and the key that belongs to it, ${keyFile}, is not`, {
      hint: 'Bring it from where the spec was applied before. If it is lost: stop the deployment, remove the folder, and start it with a new authority.',
    });
  }
  const ownKey = key ?? newKey();
  if (key === undefined) files.set(keyFile, ownKey);
  else refuseOtherKey(certFile, there, keyFile, key);
  if (there !== undefined && daysLeft(there, nowMs) > 2 * hostDays)
    return { cert: there, key: ownKey, isNew: false };
  const cert = authorityCertificate(authorityName(name), ownKey, validity(nowMs, authorityDays));
  files.set(certFile, cert);
  return { cert, key: ownKey, isNew: key === undefined };
}

function refuseOtherKey(certFile: string, cert: string | undefined, keyFile: string, key: string): void {
  try {
    const isOwn = cert === undefined || new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
    if (isOwn) return;
  } catch (cause) {
    throw AuthorityUnusable(`${certFile} or ${keyFile} is no certificate or key: ${errorText(cause)}`, {
      cause,
    });
  }
  throw AuthorityUnusable(`${keyFile} is not the key of ${certFile}`, {
    hint: 'Both have to come from the same place: bring the folder from where the spec was applied before.',
  });
}

function make(name: string, host: Host, authority: Authority, nowMs: number): string {
  const { cert, key } = hostCertificate(
    { subject: `${name} ${host.id}`.slice(0, 64), names: namesOf(host), validity: validity(nowMs, hostDays) },
    { name: authorityName(name), key: authority.key },
  );
  return `${cert}${key}`;
}

function authorityName(name: string): string {
  return `holdfast ${name}`.slice(0, 64);
}

/** Whom others may reach there: by its address, those that it listens on, and from the host itself. */
function namesOf({ address, bind }: Host): string[] {
  const bound = (bind ?? []).filter((each) => each !== '0.0.0.0' && each !== '::');
  return [...new Set([address, ...bound, 'localhost', '127.0.0.1', '::1'])];
}

function isGood(text: string, host: Host, ca: string, nowMs: number): boolean {
  try {
    const [cert, authority] = [new X509Certificate(text), new X509Certificate(ca)];
    const isOurs = cert.checkIssued(authority) && cert.verify(authority.publicKey);
    const isWhole = cert.checkPrivateKey(createPrivateKey(keyIn(text)));
    return (
      isOurs &&
      isWhole &&
      namesOf(host).every((name) => isFor(cert, name)) &&
      daysLeft(text, nowMs) > hostDays / 3
    );
  } catch {
    // Half of a file, or something else: another takes its place.
    return false;
  }
}

/** Of the two in a host's file. */
function keyIn(text: string): string {
  return text.slice(text.indexOf('-----BEGIN PRIVATE KEY-----'));
}

function isFor(cert: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? cert.checkHost(name) : cert.checkIP(name)) !== undefined;
}

function daysLeft(text: string, nowMs: number): number {
  return (Date.parse(new X509Certificate(text).validTo) - nowMs) / dayMs;
}

function validity(nowMs: number, days: number): Validity {
  return { fromMs: nowMs - backdatedMs, toMs: nowMs + days * dayMs };
}

/** @throws AUTHORITY_UNUSABLE for what is there and can't be read, or by others too */
function textOf(file: string): string | undefined {
  try {
    return readSecretFile(file).toString('utf8');
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw AuthorityUnusable(`${file}: ${errorText(cause)}`, { cause });
  }
}
