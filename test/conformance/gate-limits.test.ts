import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';
import { howMany } from '../support/whole-run.ts';

const mib = 2 ** 20;
/** HOLDFAST_LONG_MIB=512 is the longest value that there is. */
const longMib = howMany('HOLDFAST_LONG_MIB', 200, 512);
let behind: Server;
let gate: GateProcess;

beforeAll(async () => {
  behind = await startRedis();
  gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }],
    limits: { replyBytes: 16 * mib, totalBytes: 64 * mib, clients: 60 },
  });
});
afterAll(cleanUp);

/** The memory of the gate, and the most it ever had, in bytes. */
function memory(): { now: number; most: number } {
  const status = readFileSync(`/proc/${gate.process.pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { now: field('VmRSS'), most: field('VmHWM') };
}

async function sendLongSet(raw: RawClient, key: string, bytes: number): Promise<void> {
  await raw.write(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${bytes}\r\n`);
  const part = Buffer.alloc(mib, 'x');
  for (let sent = 0; sent < bytes; sent += mib) await raw.write(part);
  await raw.write('\r\n');
}

test(`a value of ${longMib} MiB passes in both directions without being kept`, async () => {
  const raw = await RawClient.open(gate.port);
  const other = client(gate.port);
  const before = memory().most;
  const set = sendLongSet(raw, 'long', longMib * mib);
  expect(await other.ping()).toBe('PONG');
  await set;
  expect(await raw.reply('SET', 60_000)).toBe('+OK\r\n');
  expect(await raw.ask('STRLEN long')).toBe(`:${longMib * mib}\r\n`);
  raw.countOnly = true;
  const start = raw.received;
  raw.send('GET long');
  const whole = `$${longMib * mib}\r\n`.length + longMib * mib + 2;
  await waitFor(() => raw.received - start === whole, { what: 'the whole reply', withinMs: 60_000 });
  raw.countOnly = false;
  expect(await raw.ask('PING')).toBe('+PONG\r\n');
  expect(memory().most - before).toBeLessThan(100 * mib);
  raw.close();
});

test('who is slow to read a long reply gets all of it, at its own pace', async () => {
  const slow = await RawClient.open(gate.port);
  slow.countOnly = true;
  slow.pause();
  const before = memory().most;
  const sentBefore = (await gate.control.status()).counters.bytesOut;
  slow.send('GET long');
  let sent = -1;
  const standsStill = async () => {
    const { bytesOut } = (await gate.control.status()).counters;
    const still = bytesOut === sent && bytesOut > sentBefore + 4 * mib;
    sent = bytesOut;
    return still;
  };
  await waitFor(standsStill, { what: 'the gate to stop reading', withinMs: 60_000, everyMs: 200 });
  expect(await client(gate.port).ping()).toBe('PONG');
  expect(memory().most - before).toBeLessThan(60 * mib);
  slow.resume();
  await waitFor(() => slow.received > longMib * mib, { what: 'the whole reply', withinMs: 60_000 });
  slow.close();
});

test('what was sent to a slow reader is not changed by the replies of others', async () => {
  const other = client(gate.port);
  const keys = Array.from({ length: 40 }, (_, index) => `part${index}`);
  const textOf = (key: string) => `${key};`.repeat(9000);
  await other.mset(Object.fromEntries(keys.map((key) => [key, textOf(key)])));
  const slow = await RawClient.open(gate.port);
  slow.pause();
  // One after the other, so that the gate can write many of them from where it read them.
  for (let round = 0; round < 10; round++) {
    for (const key of keys) slow.send(`GET ${key}`);
    for (const key of keys.toReversed()) expect(await other.get(key)).toBe(textOf(key));
  }
  slow.resume();
  for (let round = 0; round < 10; round++) {
    for (const key of keys)
      expect(await slow.reply(key)).toBe(`$${textOf(key).length}\r\n${textOf(key)}\r\n`);
  }
  slow.close();
});

test('who does not read a long reply does not hold up those behind it for long', async () => {
  const slow = await RawClient.open(gate.port);
  const other = client(gate.port);
  await other.ping();
  slow.pause();
  const before = memory().most;
  slow.send('GET long');
  for (let index = 0; index < 200; index++) expect(await other.echo(`${index}`)).toBe(`${index}`);
  expect(memory().most - before).toBeLessThan(60 * mib);
  slow.close();
});

test('who sends and never reads is closed when its replies exceed the limit', async () => {
  const greedy = await RawClient.open(gate.port);
  const other = client(gate.port);
  await other.set('chunk', 'c'.repeat(300_000));
  const before = memory().most;
  greedy.pause();
  for (let index = 0; index < 1000 && !greedy.closed; index++) greedy.send('GET chunk');
  const errors = async () => (await gate.control.status()).closed['slow-reader'] > 0;
  await waitFor(errors, { what: 'the gate to close the client', withinMs: 60_000 });
  expect(memory().most - before).toBeLessThan(100 * mib);
  expect(await other.ping()).toBe('PONG');
  greedy.close();
});

test('half a request of every client together stays within the bound', async () => {
  const raws = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(gate.port)));
  const before = memory().most;
  for (const raw of raws) {
    await raw.write('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000000\r\n');
    void raw.write(Buffer.alloc(2 * mib, 'y'));
  }
  expect(await client(gate.port).ping()).toBe('PONG');
  expect(memory().most - before).toBeLessThan(150 * mib);
  for (const raw of raws) raw.close();
});

test.each([
  ['what they queued behind MULTI', ['MULTI', `SET k ${'x'.repeat(900_000)}`]],
  ['the names that they subscribed to', [`SUBSCRIBE ${'x'.repeat(900_000)}`]],
])('what is kept for clients that wait for nothing stays within the bound: %s', async (_what, lines) => {
  const members = [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }];
  const small = await startGate({ members, limits: { totalBytes: 8 * mib } });
  const raws: RawClient[] = [];
  for (let index = 0; index < 20; index++) {
    const raw = await RawClient.open(small.port);
    raws.push(raw);
    for (const line of lines) await raw.ask(line);
  }
  const closed = () => raws.filter((each) => each.closed).length;
  await waitFor(() => closed() >= 10, {
    what: 'the clients that brought too much to be closed',
    withinMs: 60_000,
  });
  expect(closed()).toBeLessThan(15);
  for (const raw of raws) raw.close();
  small.process.kill();
});

test('clients that send while the server stands still are not read from without bound', async () => {
  const raws = await Promise.all(Array.from({ length: 8 }, () => RawClient.open(gate.port)));
  for (const raw of raws) expect(await raw.ask('PING')).toBe('+PONG\r\n');
  const before = memory().now;
  const some = Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10000\r\n${'z'.repeat(10_000)}\r\n`.repeat(100));
  behind.process.kill('SIGSTOP');
  try {
    for (const raw of raws) for (let index = 0; index < 60; index++) void raw.write(some);
    let taken = -1;
    const still = async () => {
      const { bytesIn } = (await gate.control.status()).counters;
      const same = bytesIn === taken;
      taken = bytesIn;
      return same;
    };
    await waitFor(still, { what: 'the gate to read no more', withinMs: 60_000, everyMs: 300 });
    expect(memory().now - before).toBeLessThan(150 * mib);
  } finally {
    behind.process.kill('SIGCONT');
  }
  for (const raw of raws) {
    for (let index = 0; index < 6000; index++) expect(await raw.reply()).toBe('+OK\r\n');
    raw.close();
  }
});

test('of who comes while no server says whether strangers must log in, little is read', async () => {
  const some = Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10000\r\n${'z'.repeat(10_000)}\r\n`.repeat(80));
  behind.process.kill('SIGSTOP');
  const raws: RawClient[] = [];
  try {
    const { bytesIn } = (await gate.control.status()).counters;
    for (let index = 0; index < 20; index++) raws.push(await RawClient.open(gate.port));
    for (const raw of raws) void raw.write(some);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const read = (await gate.control.status()).counters.bytesIn - bytesIn;
    expect(read).toBeGreaterThan(20 * 60_000);
    expect(read).toBeLessThan(20 * 140_000);
  } finally {
    behind.process.kill('SIGCONT');
  }
  for (const raw of raws) {
    for (let index = 0; index < 80; index++) expect(await raw.reply()).toBe('+OK\r\n');
    raw.close();
  }
});

test('who comes while the server has no room for a question still has to log in where strangers must', async () => {
  const locked = await startRedis(['--requirepass', 'secret']);
  const members = [{ id: 'redis-1', address: '127.0.0.1', port: locked.port }];
  const own = { username: 'default', password: 'secret' };
  const before = await startGate({ members, memberCredentials: own });
  const first = await RawClient.open(before.port);
  expect(await first.ask('PING')).toMatch(/^-NOAUTH /);
  await client(locked.port, { password: 'secret' }).call('CONFIG', 'SET', 'maxclients', '1');
  const second = await RawClient.open(before.port);
  expect(await second.ask('PING')).toMatch(/^-NOAUTH /);
  expect(await second.ask('DEL 1 2 3 4 5 6 7 8 9 10')).toMatch(/^-ERR Protocol error: unauthenticated/);
  for (const each of [first, second]) each.close();
  before.process.kill();
});

test('one client too many gets the error that Redis gives', async () => {
  const full = async () => (await gate.control.status()).clients < 10;
  await waitFor(full, { what: 'the clients of other tests to be gone', withinMs: 60_000 });
  const raws: RawClient[] = [];
  for (let index = 0; index < 61; index++) raws.push(await RawClient.open(gate.port));
  expect(await (raws.at(-1) as RawClient).reply()).toBe('-ERR max number of clients reached\r\n');
  for (const raw of raws) raw.close();
});
