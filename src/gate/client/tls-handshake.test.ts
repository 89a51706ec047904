import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { makeCertificates } from '../../../test/support/certificates.ts';
import { secure } from './tls-handshake.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-handshake-'));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

function made(name: string) {
  mkdirSync(path.join(folder, name));
  return makeCertificates(path.join(folder, name));
}
const [own, other] = [made('own'), made('other')];

/** A port that says hello to whom it lets in. */
async function listen(verifyClients: boolean): Promise<number> {
  const tls = { ...own, upstream: false, verifyClients };
  const server = createServer({ allowHalfOpen: true }, (socket) =>
    secure(socket, tls, (secured) => secured.end('hello')),
  );
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What a client with this certificate hears. */
async function heard(port: number, pair: { cert: string; key: string } | null): Promise<string> {
  const shows = pair && { cert: readFileSync(pair.cert), key: readFileSync(pair.key) };
  const client = connect({ host: '127.0.0.1', port, ca: readFileSync(own.ca), ...shows });
  let text = '';
  client.on('data', (data) => {
    text += String(data);
  });
  client.on('error', () => {});
  await new Promise((resolve) => client.on('close', resolve));
  return text;
}

test('where certificates are asked for, one of another authority is refused as none is', async () => {
  const port = await listen(true);
  expect(await heard(port, own)).toBe('hello');
  expect(await heard(port, other)).toBe('');
  expect(await heard(port, null)).toBe('');
});

test('where none is asked for, none is looked at', async () => {
  const port = await listen(false);
  expect(await heard(port, null)).toBe('hello');
  expect(await heard(port, other)).toBe('hello');
});
