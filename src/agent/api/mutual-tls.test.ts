/** Agents know each other by certificates of the deployment's authority, in both directions; nobody else needs one. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiDouble, readToken } from '../../../test/support/api-double.ts';
import { makeCertificates } from '../../../test/support/certificates.ts';
import type { TlsTexts } from '../../redis/endpoint.ts';
import { isForClients, serveWith } from './renew-tls.ts';
import { guardedApi } from './server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-mutual-'));
const double = new ApiDouble(true);
let own: TlsTexts;
let other: TlsTexts;
let server: ReturnType<typeof guardedApi>;

function made(name: string): TlsTexts {
  mkdirSync(path.join(folder, name));
  const { ca, cert, key } = makeCertificates(path.join(folder, name));
  const text = (file: string) => readFileSync(file, 'utf8');
  return { ca: text(ca), cert: text(cert), key: text(key) };
}

beforeAll(async () => {
  own = made('own');
  other = made('other');
  server = guardedApi(double.api, double.services, { tls: own });
  await server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close();
  for (const each of [folder, double.folder]) rmSync(each, { recursive: true });
});

/** What the agents of the deployment ask each other. @returns the status, or the error */
function ask(token: string, shows: Partial<TlsTexts>, ca = own.ca): Promise<number | string> {
  const agent = new Agent({ ca, ...shows, maxCachedSessions: 0 });
  const { port } = server.server.address() as AddressInfo;
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/status', agent };
    get({ ...options, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
const pairOf = ({ cert, key }: TlsTexts) => ({ cert, key });

test('the token of the agents counts with a certificate of the deployment only', async () => {
  expect(await ask('of-agents', pairOf(own))).toBe(200);
  expect(await ask('of-agents', {})).toBe(403);
  expect(await ask('of-agents', pairOf(other))).toBe(403);
  expect(await ask('of-agents', pairOf(own), other.ca)).toBe('SELF_SIGNED_CERT_IN_CHAIN');
});

test('people and programs need no certificate, and may have one of another authority', async () => {
  expect(await ask(readToken, {})).toBe(200);
  expect(await ask(readToken, pairOf(other))).toBe(200);
});

test('after a renewal the authority is still asked for', async () => {
  serveWith(server.server as unknown as Server, own);
  expect(await ask('of-agents', pairOf(own))).toBe(200);
  expect(await ask('of-agents', pairOf(other))).toBe(403);
});

test('what a certificate is for says whether agents can show it', () => {
  expect(isForClients(own.cert)).toBe(true);
  const madeFor = (usage: string) => {
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      '/dev/null',
    ];
    const args = ['req', '-x509', ...key, '-subj', '/CN=x', '-addext', `extendedKeyUsage=${usage}`];
    return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  };
  expect(isForClients(madeFor('serverAuth'))).toBe(false);
  expect(isForClients(madeFor('serverAuth,clientAuth'))).toBe(true);
});
