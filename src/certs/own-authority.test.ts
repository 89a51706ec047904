import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseSpec } from '../spec/parse.ts';
import type { Spec } from '../spec/spec.ts';
import { keepCertificates, ownCertificates, ownClientCertificate } from './own-authority.ts';

const dayMs = 86_400_000;
const now = Date.parse('2026-03-01T12:00:00Z');
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-certs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function specOf(addressOfB = '10.0.0.2'): Spec {
  const hosts = `{ a: { address: 10.0.0.1, ssh: a, bind: [10.0.0.1, "fd00::1:0:0:a1"] }, b: { address: ${addressOfB}, ssh: b }, c: { address: "2001:db8::c", ssh: c } }`;
  const text = `name: orders\nhosts: ${hosts}\nsecurity: { tls: auto }\n`;
  return parseSpec(text, path.join(folder, 'orders.yaml'));
}
const authority = () => specOf().security.authority as string;
async function make(spec = specOf(), atMs = now, renew: 'due' | 'all' = 'due') {
  const made = ownCertificates(spec, authority(), atMs, renew);
  await keepCertificates(authority(), made);
  return made;
}
const parsed = (text: string | undefined) => new X509Certificate(text ?? '');

test('each host has a certificate of the authority, which names how it is reached, and its own key', async () => {
  const { ca, hosts, isNew } = await make();
  expect(isNew).toBe(true);
  const a = parsed(hosts.get('a'));
  expect(a.verify(parsed(ca).publicKey)).toBe(true);
  expect(a.subjectAltName).toBe(
    'IP Address:10.0.0.1, IP Address:FD00:0:0:0:1:0:0:A1, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  );
  expect(parsed(hosts.get('c')).checkIP('2001:db8::c')).toBeDefined();
  expect(parsed(hosts.get('b')).checkIP('10.0.0.1')).toBeUndefined();
  expect(parsed(ca).ca).toBe(true);
  expect(a.ca).toBe(false);
  expect(hosts.get('a')).not.toContain(readFileSync(path.join(authority(), 'ca.key'), 'utf8'));
});

test('a host that is reached by name has it in its certificate', async () => {
  const text =
    'name: orders\nhosts: { a: { address: redis-a.example, ssh: a } }\nsentinel: { on: [a, a, a] }\nsecurity: { tls: auto }\n';
  const { hosts } = await make(parseSpec(text, path.join(folder, 'orders.yaml')));
  expect(parsed(hosts.get('a')).checkHost('redis-a.example')).toBe('redis-a.example');
});

test('openssl takes them, for servers and for clients, and nobody else may read the keys', async () => {
  await make();
  for (const purpose of ['sslserver', 'sslclient']) {
    const args = [
      'verify',
      '-x509_strict',
      '-purpose',
      purpose,
      '-attime',
      String(now / 1000),
      '-CAfile',
      'ca.pem',
    ];
    for (const host of ['a', 'b', 'c'])
      expect(
        execFileSync('openssl', [...args, `host-${host}.pem`], { cwd: authority(), encoding: 'utf8' }),
      ).toBe(`host-${host}.pem: OK\n`);
  }
  for (const file of ['ca.key', 'ca.pem', 'host-a.pem'])
    expect(statSync(path.join(authority(), file)).mode & 0o777).toBe(0o600);
  expect(statSync(authority()).mode & 0o777).toBe(0o700);
  expect(readFileSync(path.join(authority(), '.gitignore'), 'utf8')).toBe('*\n');
});

test('a program gets one that is good for clients only, of the same authority', async () => {
  expect(() => ownClientCertificate(specOf(), authority(), 'shop', now)).toThrow(/no authority was made yet/);
  const { ca } = await make();
  const text = ownClientCertificate(specOf(), authority(), 'shop', now);
  const cert = parsed(text);
  expect(cert.verify(parsed(ca).publicKey)).toBe(true);
  expect(cert.subject).toBe('CN=orders client shop');
  expect(cert.subjectAltName).toBeUndefined();
  expect(cert.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  const file = path.join(folder, 'shop.pem');
  writeFileSync(file, text);
  const verify = (purpose: string) => {
    const at = ['-attime', String(now / 1000), '-CAfile', path.join(authority(), 'ca.pem')];
    return execFileSync('openssl', ['verify', '-x509_strict', '-purpose', purpose, ...at, file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  };
  expect(verify('sslclient')).toBe(`${file}: OK\n`);
  expect(() => verify('sslserver')).toThrow();
});

test('what is good is kept; another address, an end that is near, or the wish make another one', async () => {
  const first = await make();
  expect((await make()).renewed).toEqual([]);
  expect((await make(specOf(), now + 240 * dayMs)).renewed).toEqual([]);
  const moved = await make(specOf('10.0.0.9'));
  expect(moved.renewed).toEqual(['b']);
  expect(moved.hosts.get('a')).toBe(first.hosts.get('a'));
  expect((await make(specOf('10.0.0.9'), now + 250 * dayMs)).renewed).toEqual(['a', 'b', 'c']);
  expect((await make(specOf('10.0.0.9'), now + 250 * dayMs, 'all')).renewed).toEqual(['a', 'b', 'c']);
});

test('the authority is renewed with its key: what it made before stays good', async () => {
  const before = await make();
  const later = ownCertificates(specOf(), authority(), now + 3000 * dayMs);
  expect(later.isNew).toBe(false);
  expect(later.ca).not.toBe(before.ca);
  expect(parsed(before.hosts.get('a')).verify(parsed(later.ca).publicKey)).toBe(true);
  expect(parsed(before.hosts.get('a')).checkIssued(parsed(later.ca))).toBe(true);
});

test('a key that is gone, another’s, or readable by all is refused, and nothing is made in its place', async () => {
  await make();
  const key = path.join(authority(), 'ca.key');
  chmodSync(key, 0o644);
  expect(() => ownCertificates(specOf(), authority(), now)).toThrow(/everyone can read it/);
  chmodSync(key, 0o600);
  const own = readFileSync(key, 'utf8');
  const host = readFileSync(path.join(authority(), 'host-a.pem'), 'utf8');
  writeFileSync(key, host.slice(host.indexOf('-----BEGIN PRIVATE')));
  expect(() => ownCertificates(specOf(), authority(), now)).toThrow(/is not the key of/);
  rmSync(key);
  expect(() => ownCertificates(specOf(), authority(), now)).toThrow(/is not/);
  writeFileSync(key, own, { mode: 0o600 });
  writeFileSync(path.join(authority(), 'host-a.pem'), 'half', { mode: 0o600 });
  expect(ownCertificates(specOf(), authority(), now).renewed).toEqual(['a']);
});
