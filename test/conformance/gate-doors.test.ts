import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { childrenOf } from '../../src/process/stat.ts';
import { makeCertificates } from '../support/certificates.ts';
import { startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import {
  cleanUp,
  client,
  freePort,
  kill9,
  type Server as RedisServer,
  startRedis,
  tempFolder,
} from '../support/redis-processes.ts';

let behind: RedisServer;
const member = () => [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }];

beforeAll(async () => {
  behind = await startRedis();
});
afterAll(cleanUp);

test('TLS from the client to the gate, and from the gate to the member', async () => {
  const folder = tempFolder();
  const { cert, key, ca } = makeCertificates(folder);
  const tlsPort = await freePort();
  const options = [
    '--tls-port',
    `${tlsPort}`,
    '--tls-cert-file',
    cert,
    '--tls-key-file',
    key,
    '--tls-ca-cert-file',
    ca,
  ];
  await startRedis([...options, '--tls-auth-clients', 'no']);
  const gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: tlsPort }],
    tls: { cert, key, ca, upstream: true },
  });
  const redis = new Redis(gate.port, '127.0.0.1', { tls: { ca: readFileSync(ca) }, maxRetriesPerRequest: 0 });
  redis.on('error', () => {});
  try {
    expect(await redis.set('k', 'x'.repeat(100_000))).toBe('OK');
    expect((await redis.get('k'))?.length).toBe(100_000);
    const long = 'y'.repeat(3_000_000);
    expect(await redis.set('long', long)).toBe('OK');
    expect(await redis.get('long')).toBe(long);
  } finally {
    redis.disconnect();
  }
  const plain = await RawClient.open(gate.port);
  plain.send('PING');
  expect(await plain.reply()).toBe('(closed)');
});

test('a PROXY header tells who the client is, and without one nobody comes in', async () => {
  const gate = await startGate({ members: member(), proxyProtocol: true });
  const raw = await RawClient.open(gate.port);
  await raw.write('PROXY TCP4 192.0.2.7 127.0.0.1 5555 6380\r\nPING\r\n');
  expect(await raw.reply()).toBe('+PONG\r\n');
  expect(await raw.ask('CLIENT INFO')).toContain(' addr=192.0.2.7:5555 ');
  const stranger = await RawClient.open(gate.port);
  await stranger.write('PING\r\n');
  expect(await stranger.reply()).toBe('(closed)');
  raw.close();
});

/** A load balancer for one connection: it says who the client is, in a packet of its own or not. */
async function balance(port: number, together: boolean): Promise<Server> {
  const header = Buffer.from('PROXY TCP4 192.0.2.7 127.0.0.1 5555 6380\r\n');
  const server = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const each of [near, far]) each.on('error', () => {});
    if (!together) far.write(header);
    near.once('data', (first) => {
      far.write(together ? Buffer.concat([header, first]) : first);
      near.pipe(far).pipe(near);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test.each([true, false])(
  'a PROXY header may come before TLS; in one packet with it: %s',
  async (together) => {
    const { cert, key, ca } = makeCertificates(tempFolder());
    const gate = await startGate({ members: member(), proxyProtocol: true, tls: { cert, key } });
    const balancer = await balance(gate.port, together);
    const { port } = balancer.address() as AddressInfo;
    const secured = connectTls({ port, host: '127.0.0.1', ca: readFileSync(ca) });
    await once(secured, 'secureConnect');
    secured.write('CLIENT INFO\r\n');
    const [answer] = await once(secured, 'data');
    expect(String(answer)).toContain(' addr=192.0.2.7:5555 ');
    secured.destroy();
    balancer.close();
    const stranger = connectTls({ port: gate.port, host: '127.0.0.1', ca: readFileSync(ca) });
    // What it begins with is no PROXY header.
    const refused = await new Promise<Error>((resolve) => stranger.once('error', resolve));
    expect(refused.message).toContain('disconnected before secure TLS connection');
  },
);

test('several workers share the doors, answer control together, and are replaced', async () => {
  const gate = await startGate({ members: member(), workers: 2 });
  const clients = Array.from({ length: 8 }, () => client(gate.port));
  const ids = await Promise.all(clients.map((each) => each.client('ID')));
  expect(new Set(ids).size).toBe(8);
  expect(new Set(ids.map((id) => Number(id) % 2)).size).toBe(2);
  expect(await gate.control.status()).toMatchObject({ state: 'open', clients: 8, pid: gate.process.pid });
  expect(await gate.control.hold({ reason: 'test', maxMs: 300 })).toEqual({ drained: true });
  expect((await gate.control.status()).state).toBe('holding');
  const written = Promise.all(clients.map((each, index) => each.set(`w${index}`, '1')));
  expect(await clients[0]?.get('nothing')).toBeNull();
  await gate.control.release();
  expect(new Set(await written)).toEqual(new Set(['OK']));
  await expect(clients[0]?.call('LPUSH', 'w0', 'a')).rejects.toThrow('WRONGTYPE');
  const counted = await gate.control.status();
  expect(counted.commands).toMatchObject({ set: 8, get: 1, lpush: 1, 'client|id': 8 });
  expect(counted.errors).toMatchObject({ WRONGTYPE: 1 });
  expect(counted.counters.held).toBe(8);
  expect(counted.latency.write.count).toBeGreaterThanOrEqual(9);
  expect(counted.latency.write.maxMs).toBeGreaterThan(1);
  const [worker] = childrenOf(gate.process.pid as number);
  process.kill(worker as number, 'SIGKILL');
  const replaced = async () =>
    gate.log().includes('starting another') && (await gate.control.status()).state === 'open';
  await waitFor(replaced, { what: 'a new worker', withinMs: 60_000 });
  const fresh = client(gate.port);
  expect(await fresh.ping()).toBe('PONG');
});

test('who holds writes may have the clients wait for as long as that lasts', async () => {
  const gate = await startGate({ members: member(), holdMs: 200, workers: 2 });
  const redis = client(gate.port);
  await gate.control.hold({ reason: 'test', maxMs: 20_000 });
  await expect(redis.set('k', 'v')).rejects.toThrow('NOPRIMARY');
  await gate.control.release();
  await gate.control.hold({ reason: 'test', maxMs: 20_000, patient: true });
  const written = redis.set('k', 'v');
  const waited = new Promise<string>((resolve) => setTimeout(resolve, 800, 'waits'));
  expect(await Promise.race([written, waited])).toBe('waits');
  await gate.control.release();
  expect(await written).toBe('OK');
});

test('drain lets clients finish and then ends the process; a taken port is one line', async () => {
  const gate = await startGate({ members: member() });
  const redis = client(gate.port, { retryStrategy: () => null });
  expect(await redis.ping()).toBe('PONG');
  const second = await startGate(
    { members: member(), listen: { host: '127.0.0.1', port: gate.port } },
    false,
  ).catch((error: Error) => error.message);
  expect(second).toMatch(
    /^the gate ended with 1\n(?:.+\n)*holdfast gate: cannot listen on .*EADDRINUSE.*\n$/,
  );
  const exited = new Promise<number | null>((resolve) => gate.process.once('exit', resolve));
  await gate.control.drain({ graceMs: 5000 });
  expect(await exited).toBe(0);
});

test('idle, the gate takes little memory, and 10,000 idle clients at most 150 MB', async () => {
  const gate = await startGate({ members: member() });
  const rss = () =>
    Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${gate.process.pid}/status`, 'utf8'))?.[1]) / 1024;
  expect(rss()).toBeLessThan(120);
  const raws: RawClient[] = [];
  for (let index = 0; index < 10_000; index += 500) {
    raws.push(...(await Promise.all(Array.from({ length: 500 }, () => RawClient.open(gate.port)))));
  }
  for (let index = 0; index < raws.length; index += 1000)
    expect(await raws[index]?.ask('PING')).toBe('+PONG\r\n');
  const all = async () => (await gate.control.status()).clients === 10_000;
  await waitFor(all, { what: '10,000 clients', withinMs: 60_000 });
  expect(rss()).toBeLessThan(150);
  for (const raw of raws) raw.close();
  await kill9(gate.process);
});
