/**
 * Clients that send slowly, wrongly, too many at once, or do not read: each is refused or cut off, and others are answered
 * meanwhile.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, type NetConnectOpts, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiDouble, operateToken, readToken } from '../../../test/support/api-double.ts';
import { makeCertificates } from '../../../test/support/certificates.ts';
import { waitFor } from '../../base/retry.ts';
import { guardedApi } from './server.ts';

const double = new ApiDouble();
const limits = { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 };
const server = guardedApi(double.api, double.services, { limits });
/** Waits for nobody to go by himself. */
const patient = guardedApi(double.api, double.services, {
  visitorRules: { most: 60, mostWaitedForOfAddress: 20, surplus: 20, everyMs: 20 },
});

beforeAll(async () => {
  await server.listen({ host: '127.0.0.1', port: 0 });
  await patient.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close();
  await patient.close();
  rmSync(double.folder, { recursive: true });
});

interface Client {
  socket: Socket;
  /** What it was answered. */
  text: string;
  closed: boolean;
}

function portOf(of: typeof server): number {
  return (of.server.address() as AddressInfo).port;
}

function open(of = server, options: Partial<NetConnectOpts> = {}): Client {
  const socket = connect({ port: portOf(of), host: '127.0.0.1', ...options } as NetConnectOpts);
  const client: Client = { socket, text: '', closed: false };
  client.socket.on('data', (data) => {
    client.text += data.toString('latin1');
  });
  client.socket.on('error', () => {});
  client.socket.on('close', () => {
    client.closed = true;
  });
  return client;
}

/** Sends a byte now and then until it is cut off. */
async function trickle(client: Client): Promise<void> {
  const timer = setInterval(() => client.socket.write('x'), 20);
  await waitFor(() => client.closed, { what: 'it to be cut off', withinMs: 10_000, everyMs: 10 });
  clearInterval(timer);
}

const connections = (of = server) =>
  new Promise<number>((resolve) => of.server.getConnections((_error, many) => resolve(many)));

/** On a connection of its own: one that is kept may be sent away while it is idle. */
const fresh = { headers: { connection: 'close' } };
const livez = async (of = server) => (await fetch(`http://127.0.0.1:${portOf(of)}/livez`, fresh)).status;

test('a head that trickles is cut off', async () => {
  const client = open();
  client.socket.write('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-More: ');
  await trickle(client);
  expect(client.text).toMatch(/^HTTP\/1\.1 408 /);
  expect(await livez()).toBe(200);
});

test('a body that trickles is cut off, and does nothing', async () => {
  const client = open();
  const lines = ['POST /api/operations HTTP/1.1', 'Host: 127.0.0.1', `Authorization: Bearer ${operateToken}`];
  const body = ['Content-Type: application/json', 'Content-Length: 50000', '', '{"kind":"pause","x":"'];
  client.socket.write([...lines, ...body].join('\r\n'));
  await trickle(client);
  expect(client.text).not.toMatch(/ 202 /);
  expect((await double.services.jobs.list(true)).jobs).toEqual([]);
  expect(await livez()).toBe(200);
});

test('what is no HTTP is refused, and cut off', async () => {
  for (const text of [
    '\u0000\u0001\u0002\r\n\r\n',

    '*1\r\n$4\r\nPING\r\n',
    `GET /${'x'.repeat(40_000)}`,
  ]) {
    const client = open();
    client.socket.write(text);
    await waitFor(() => client.closed, { what: 'it to be cut off', withinMs: 5000, everyMs: 10 });
    expect(client.text, text.slice(0, 20)).toMatch(/^HTTP\/1\.1 4\d\d /);
  }
  expect(await livez()).toBe(200);
});

test('who follows a stream and does not read is cut off before much is kept for it', async () => {
  const client = open();
  client.socket.write('GET /api/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await waitFor(() => client.text.includes('retry:'), { what: 'the stream', withinMs: 5000, everyMs: 5 });
  client.socket.pause();
  const before = await connections();
  const sent = 400;
  for (let number = 0; number < sent; number += 1) double.log.add('hint', 'orders', 'x'.repeat(100_000));
  await waitFor(async () => (await connections()) < before, { what: 'it to be cut off', withinMs: 5000 });
  client.socket.resume();
  await waitFor(() => client.closed, { what: 'its end', withinMs: 5000, everyMs: 10 });
  expect(client.text.length).toBeLessThan(sent * 100_000);
  expect(await livez()).toBe(200);
});

test('whatever is refused before there is a request has the same body as every refusal', async () => {
  const head = 'GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n';
  for (const [text, status] of [
    ['GET /% HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n', 400],
    ['GET /api/%zz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n', 400],
    [`${head}X-Long: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    [`${head}X-Odd: \u0001\r\n\r\n`, 400],
    ['GET /livez HTTP/1.1\r\n\r\n', 400],
    [`${head}Host: other.example\r\n\r\n`, 400],
    [`${head}host: 127.0.0.1\r\n\r\n`, 400],
    ['GET http://other.example/livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400],
    [`${head}Expect: x\r\n\r\n`, 417],
    ['CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n', 400],
  ] as const) {
    const client = open();
    client.socket.write(text);
    await waitFor(() => client.closed, { what: 'it to be cut off', withinMs: 5000, everyMs: 10 });
    const [answered = '', body = ''] = client.text.split('\r\n\r\n', 2);
    expect(answered, text.slice(0, 80)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answered).toMatch(/x-content-type-options: nosniff/i);
    expect(JSON.parse(body)).toMatchObject({
      error: { code: 'API_BAD_REQUEST', message: expect.any(String) },
    });
  }
});

test('what HTTP lets a request say is answered as ever', async () => {
  for (const text of [
    'GET /livez HTTP/1.0\r\n\r\n',
    'GET http://127.0.0.1/livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
    'GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
  ]) {
    const client = open();
    client.socket.write(text);
    await waitFor(() => client.closed, { what: 'its end', withinMs: 5000, everyMs: 10 });
    expect(client.text, text).toMatch(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 200 /);
  }
});

const halfHead = 'GET /api/view HTTP/1.1\r\nHost: 127.0.0.1\r\nX-More: ';

async function openHalves(many: number, addressOf: (number: number) => string): Promise<Client[]> {
  const clients: Client[] = [];
  for (let number = 0; number < many; number += 1) {
    const client = open(patient, { localAddress: addressOf(number) } as Partial<NetConnectOpts>);
    client.socket.write(halfHead);
    clients.push(client);
    await new Promise((resolve) => client.socket.once('connect', resolve));
  }
  return clients;
}

test('half requests from one address shut nobody out: the oldest are told to go', async () => {
  const clients = await openHalves(100, () => '127.0.0.9');
  const left = clients.slice(0, 80);
  await waitFor(() => left.every(({ closed }) => closed), { what: 'the oldest to go', withinMs: 5000 });
  expect(clients.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(20);
  const told = left.filter(({ text }) => /^HTTP\/1\.1 503 .*retry-after: \d.*"API_BUSY"/s.test(text));
  expect(told.length).toBeGreaterThan(0);
  expect(await livez(patient)).toBe(200);
  for (const { socket } of clients) socket.destroy();
});

test('half requests from many addresses, and long questions without a token, shut nobody out', async () => {
  const waits = Array.from({ length: 30 }, () => {
    const client = open(patient);
    client.socket.write('GET /events?after=9999&waitMs=30000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    return client;
  });
  const clients = await openHalves(200, (number) => `127.0.1.${1 + (number % 100)}`);
  for (let turn = 0; turn < 5; turn += 1) expect(await livez(patient)).toBe(200);
  const asked = await fetch(`http://127.0.0.1:${portOf(patient)}/api/view`, {
    headers: { ...fresh.headers, authorization: `Bearer ${operateToken}` },
  });
  expect(asked.status).toBe(200);
  expect(await connections(patient)).toBeLessThanOrEqual(60 + 20 + 100);
  for (const { socket } of [...waits, ...clients]) socket.destroy();
});

test('what one that was told to go still sends takes no place of a stream', async () => {
  const half = 'GET /api/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n';
  const clients = Array.from({ length: 110 }, () => open(patient, { allowHalfOpen: true }));
  for (const { socket } of clients) socket.write(half);
  const told = () => clients.filter(({ text }) => text.startsWith('HTTP/1.1 503 '));
  await waitFor(() => told().length >= 80, { what: '80 that are told', withinMs: 5000, everyMs: 2 });
  for (const { socket } of told()) socket.write('\r\n');
  const next = open(patient, { localAddress: '127.0.0.7' } as Partial<NetConnectOpts>);
  next.socket.write(`${half}\r\n`);
  await waitFor(() => next.text !== '', { what: 'an answer', withinMs: 5000, everyMs: 2 });
  expect(next.text).toMatch(/^HTTP\/1\.1 200 /);
  for (const { socket } of [...clients, next]) socket.destroy();
});

test('who is cut off and does not hang up is not waited for', async () => {
  const before = await connections();
  const client = open(server, { allowHalfOpen: true });
  client.socket.write(halfHead);
  await waitFor(() => client.text.includes(' 408 '), { what: 'the refusal', withinMs: 5000, everyMs: 10 });
  await waitFor(async () => (await connections()) <= before, {
    what: 'its end',
    withinMs: 5000,
    everyMs: 20,
  });
  client.socket.destroy();
});

test('streams without a token leave room for who shows one, and those that look for who operates', async () => {
  const follow = (token?: string) => {
    const client = open();
    const shown = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
    client.socket.write(`GET /api/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n${shown}\r\n`);
    return client;
  };
  const open200 = (clients: readonly Client[]) => clients.filter(({ text }) => / 200 /.test(text)).length;
  const answered = async (clients: readonly Client[]) => {
    const all = () => clients.every(({ text }) => text.includes('\r\n\r\n'));
    await waitFor(all, { what: 'answers', withinMs: 10_000, everyMs: 10 });
    return open200(clients);
  };
  const unknown = Array.from({ length: 90 }, () => follow());
  expect(await answered(unknown)).toBe(80);
  const reading = Array.from({ length: 90 }, () => follow(readToken));
  expect(await answered(reading)).toBe(80);
  const operating = Array.from({ length: 45 }, () => follow(operateToken));
  expect(await answered(operating)).toBe(40);
  for (const { socket } of [...unknown, ...reading, ...operating]) socket.destroy();
});

test('whoever does not begin with TLS, where it is spoken, is cut off', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-slow-tls-'));
  const { cert, key } = makeCertificates(folder);
  const [certText, keyText] = [readFileSync(cert, 'utf8'), readFileSync(key, 'utf8')];
  const secure = guardedApi(double.api, double.services, {
    tls: { cert: certText, key: keyText, ca: certText },
    limits: { handshakeTimeout: 200 },
    visitorRules: { most: 10, surplus: 0 },
  });
  await secure.listen({ host: '127.0.0.1', port: 0 });
  const silent = Array.from({ length: 30 }, () => open(secure, { allowHalfOpen: true }));
  await waitFor(async () => (await connections(secure)) > 0, { what: 'them', withinMs: 5000, everyMs: 5 });
  await waitFor(async () => (await connections(secure)) === 0, { what: 'their end', withinMs: 5000 });
  for (const { socket } of silent) socket.destroy();
  await secure.close();
  rmSync(folder, { recursive: true });
});
