import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeCertificates } from '../../../test/support/certificates.ts';
import type { TlsTexts } from '../../redis/endpoint.ts';
import { parseSpec } from '../../spec/parse.ts';
import { certificateProblems } from './certificate-problems.ts';

const folders: string[] = [];
afterAll(() => folders.forEach((each) => void rmSync(each, { recursive: true })));

function made(address: string): TlsTexts {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-'));
  folders.push(folder);
  const { cert, key, ca } = makeCertificates(folder, [address]);
  const read = (file: string) => readFileSync(file, 'utf8');
  return { cert: read(cert), key: read(key), ca: read(ca) };
}

const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate that is its own authority. */
function selfSigned(address: string): TlsTexts {
  const { openssl, read } = inFolder();
  const names = ['-addext', `subjectAltName=IP:${address}`];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'key',
    '-out',
    'cert',
    '-subj',
    '/CN=self',
    ...names,
    '-days',
    '2',
  );
  return { cert: read('cert'), key: read('key'), ca: read('cert') };
}

/** One whose issuer is an authority between it and that of `ca`. */
function chained(address: string): TlsTexts & { between: string } {
  const { folder, openssl, read } = inFolder();
  makeCertificates(folder);
  const issue = (name: string, by: string, extension: string) => {
    writeFileSync(path.join(folder, 'ext'), `${extension}\n`);
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const authority = ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial', '-extfile', 'ext'];
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...authority, '-days', '2');
  };
  issue('between', 'ca', 'basicConstraints=critical,CA:TRUE');
  issue('leaf', 'between', `subjectAltName=IP:${address}`);
  const [cert, own, ca, between] = ['leaf.crt', 'leaf.key', 'ca.crt', 'between.crt'].map(read) as Four;
  return { cert, key: own, ca, between };
}
type Four = [string, string, string, string];

function inFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-'));
  folders.push(folder);
  return {
    folder,
    openssl: (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' }),
    read: (file: string) => readFileSync(path.join(folder, file), 'utf8'),
  };
}

const own = made('10.0.0.1');
const other = made('10.0.0.9');
const now = new Date();
const spec = (address: string) =>
  parseSpec(
    `name: x\nhosts: { a: { address: ${address} } }\nsentinel: { on: [a, a, a] }\nsecurity: { tls: { cert: c, key: k, ca: a } }\n`,
    '/x.yaml',
  );
const problems = (address: string, texts: Partial<TlsTexts>, at = now) =>
  certificateProblems(spec(address), 'a', { ...own, ...texts }, at);

test('a certificate of the authority, for the address of the host, with its key', () => {
  expect(problems('10.0.0.1', {})).toEqual([]);
  expect(problems('localhost', {})).toEqual([]);
});

test('one that made itself is believed by those who have it as authority, and by nobody else', () => {
  const self = selfSigned('10.0.0.1');
  expect(problems('10.0.0.1', self)).toEqual([]);
  expect(problems('10.0.0.1', { ...self, ca: own.ca })).toEqual(['/c was not made by an authority of /a']);
});

test('one whose issuer it shows as well is followed to the authority', () => {
  const { cert, key, ca, between } = chained('10.0.0.1');
  expect(problems('10.0.0.1', { cert: `${cert}${between}`, key, ca })).toEqual([]);
  expect(problems('10.0.0.1', { cert, key, ca })).toEqual(['/c was not made by an authority of /a']);
  const others = { cert: `${cert}${between}`, key, ca: own.ca };
  expect(problems('10.0.0.1', others)).toEqual(['/c was not made by an authority of /a']);
});

test('one of another authority, for another address, with another key, out of date, or none at all', () => {
  expect(problems('10.0.0.1', { ca: other.ca })).toEqual(['/c was not made by an authority of /a']);
  expect(problems('10.0.0.2', {})[0]).toMatch(
    /^\/c is good for IP Address:127.0.0.1, .*, and this host is 10.0.0.2$/,
  );
  expect(problems('10.0.0.1', { key: other.key })).toEqual(['/k is the key of another certificate']);
  expect(problems('10.0.0.1', {}, new Date(now.getTime() + 3 * 86_400_000))[0]).toContain(
    '/c was valid until',
  );
  expect(problems('10.0.0.1', { cert: 'x' })[0]).toContain("/c can't be read as a certificate");
});
