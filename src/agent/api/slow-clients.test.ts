/** Clients that send slowly, wrongly, or do not read: each is refused or cut off, and others are answered meanwhile. */
import { rmSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiDouble, operateToken } from '../../../test/support/api-double.ts';
import { waitFor } from '../../base/retry.ts';
import { guardedApi } from './server.ts';

const double = new ApiDouble();
const server = guardedApi(double.api, double.services, {
  limits: { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 },
});
let port: number;

beforeAll(async () => {
  await server.listen({ host: '127.0.0.1', port: 0 });
  port = (server.server.address() as AddressInfo).port;
});
afterAll(async () => {
  await server.close();
  rmSync(double.folder, { recursive: true });
});

interface Client {
  socket: Socket;
  /** What it was answered. */
  text: string;
  closed: boolean;
}

function open(): Client {
  const client: Client = { socket: connect(port, '127.0.0.1'), text: '', closed: false };
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

const livez = async () => (await fetch(`http://127.0.0.1:${port}/livez`)).status;

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
  const connections = () =>
    new Promise<number>((resolve) => server.server.getConnections((_error, many) => resolve(many)));
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
  ] as const) {
    const client = open();
    client.socket.write(text);
    await waitFor(() => client.closed, { what: 'it to be cut off', withinMs: 5000, everyMs: 10 });
    const [answered = '', body = ''] = client.text.split('\r\n\r\n', 2);
    expect(answered).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answered).toMatch(/x-content-type-options: nosniff/i);
    expect(JSON.parse(body)).toMatchObject({
      error: { code: 'API_BAD_REQUEST', message: expect.any(String) },
    });
  }
});
