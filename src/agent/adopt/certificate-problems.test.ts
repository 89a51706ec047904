import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
