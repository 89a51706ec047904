import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as connectPlain, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { makeCertificates } from '../../../test/support/certificates.ts';
import { waitFor } from '../../base/retry.ts';
import type { GateTls } from '../config.ts';
import { TlsHandshakes } from './tls-handshake.ts';

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
async function listen(tls: Partial<GateTls>, handshakeMs?: number): Promise<number> {
  const handshakes = new TlsHandshakes({ ...own, upstream: false, ...tls }, handshakeMs);
  const server = createServer({ allowHalfOpen: true }, (socket) =>
    handshakes.begin(socket, (secured) => secured.end('hello')),
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
  await cut(client);
  return text;
}

test('where certificates are asked for, one of another authority is refused as none is', async () => {
  const port = await listen({ verifyClients: true });
  expect(await heard(port, own)).toBe('hello');
  expect(await heard(port, other)).toBe('');
  expect(await heard(port, null)).toBe('');
});

test('where none is asked for, none is looked at', async () => {
  const port = await listen({});
  expect(await heard(port, null)).toBe('hello');
  expect(await heard(port, other)).toBe('hello');
});

test('renewed certificates are shown to those who come then, and those who came before are served on', async () => {
  const tls = made('renewed');
  const port = await listen(tls);
  const shown = async () => {
    const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    client.on('error', () => {});
    await once(client, 'secureConnect');
    const { fingerprint256 } = client.getPeerCertificate();
    client.destroy();
    return fingerprint256;
  };
  const before = await shown();
  expect(await shown()).toBe(before);
  copyFileSync(other.cert, tls.cert);
  copyFileSync(other.key, tls.key);
  await waitFor(async () => (await shown()) !== before, {
    what: 'the new certificate',
    withinMs: 5000,
    everyMs: 100,
  });
});

test('a handshake that comes byte by byte is cut as one that never goes on', async () => {
  const port = await listen({}, 400);
  const begun = performance.now();
  const dripping = connectPlain(port, '127.0.0.1');
  // The beginning of a record: a ClientHello of 512 bytes.
  dripping.write(Buffer.from([22, 3, 1, 2, 0]));
  const timer = setInterval(() => dripping.write(Buffer.from([1])), 20);
  const silent = connectPlain(port, '127.0.0.1');
  await Promise.all([dripping, silent].map((socket) => cut(socket)));
  clearInterval(timer);
  expect(performance.now() - begun).toBeGreaterThan(350);
  expect(await heard(port, null)).toBe('hello');
});

async function cut(socket: Socket): Promise<void> {
  socket.on('error', () => {}).resume();
  await new Promise((resolve) => socket.on('close', resolve));
}

test('files that do not belong together are named when the port is opened', () => {
  expect(() => new TlsHandshakes({ cert: own.cert, key: other.key })).toThrow(
    `tls: ${own.cert} and ${other.key} can't be used: `,
  );
});
