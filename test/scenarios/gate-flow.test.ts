import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { writeRequest } from '../../src/resp/write.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';

/** Clients that ask for more than they read: they make nobody wait, and cost no more memory than was promised. */

const mib = 2 ** 20;
let server: Server;
let gate: GateProcess;

beforeAll(async () => {
  server = await startRedis();
  const members = [{ id: 'redis-1', address: '127.0.0.1', port: server.port }];
  gate = await startGate({ members, limits: { totalBytes: 128 * mib, replyBytes: 12 * mib } });
});
afterAll(cleanUp);

/** Bytes: of a process, and the most it ever had; what a server says that it uses at most. */
function rss(pid: number | undefined, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}

/** A client that writes as fast as it is read, and reads nothing until `resume`. */
async function writer(port: number): Promise<{ socket: Socket; write(bytes: Buffer): Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.pause();
  let goOn = () => {};
  socket.on('drain', () => goOn()).on('close', () => goOn());
  const write = (bytes: Buffer) =>
    new Promise<void>((resolve) => {
      goOn = resolve;
      if (socket.destroyed || socket.write(bytes)) resolve();
    });
  return { socket, write };
}

test('who pipelines 36 MB of GETs and reads nothing makes nobody wait, and the server does not grow', async () => {
  const other = client(gate.port);
  await other.set('two-kb', 'v'.repeat(2048));
  const [gateBefore, serverBefore] = [rss(gate.process.pid), rss(server.process.pid)];
  const closedBefore = (await gate.control.status()).closed['slow-reader'];
  const greedy = await writer(gate.port);
  const batch = Buffer.concat(Array.from({ length: 1000 }, () => writeRequest(['GET', 'two-kb'])));
  let done = false;
  const writing = (async () => {
    for (let sent = 0; sent < 36 * mib && !greedy.socket.destroyed; sent += batch.length)
      await greedy.write(batch);
  })().finally(() => {
    done = true;
  });
  let longest = 0;
  const isClosed = async () => (await gate.control.status()).closed['slow-reader'] > closedBefore;
  const pings = async () => {
    const start = performance.now();
    await other.get('two-kb');
    longest = Math.max(longest, performance.now() - start);
    return done || isClosed();
  };
  await waitFor(pings, { what: 'the gate to give it up', withinMs: 60_000, everyMs: 5 });
  expect(longest).toBeLessThan(5000);
  expect(rss(server.process.pid, 'VmHWM') - serverBefore).toBeLessThan(64 * mib);
  expect(rss(gate.process.pid, 'VmHWM') - gateBefore).toBeLessThan(150 * mib);
  greedy.socket.destroy();
  await writing;
});

/** Looks that what comes is this, again and again; counts how often it came whole. */
function expecting(...parts: { bytes: Buffer; times: number }[]): {
  take(chunk: Buffer): void;
  left(): number;
} {
  let at = 0;
  const take = (chunk: Buffer) => {
    for (let pos = 0; pos < chunk.length; ) {
      const part = parts[0];
      if (part === undefined) throw new Error(`more came: ${chunk.toString('latin1', pos, pos + 80)}`);
      const length = Math.min(part.bytes.length - at, chunk.length - pos);
      const same = part.bytes.compare(chunk, pos, pos + length, at, at + length) === 0;
      if (!same) throw new Error(`something else came: ${chunk.toString('latin1', pos, pos + 80)}`);
      pos += length;
      at = (at + length) % part.bytes.length;
      if (at === 0 && --part.times === 0) parts.shift();
    }
  };
  return { take, left: () => parts.reduce((total, { times }) => total + times, 0) };
}

const batchOf = (requests: string[][]): Buffer => Buffer.concat(requests.map((each) => writeRequest(each)));
const thousand = <T>(make: (index: number) => T): T[] =>
  Array.from({ length: 1000 }, (_, index) => make(index));

test('who writes 1,000,000 SETs and 500,000 GETs before it reads anything gets all its answers; another waits for nothing', async () => {
  const other = client(gate.port);
  await other.ping();
  const gateBefore = rss(gate.process.pid);
  const patient = await writer(gate.port);
  const sets = batchOf(thousand((index) => ['SET', `key-${index}`, `value-${index}`]));
  const gets = batchOf(thousand((index) => ['GET', `key-${index}`]));
  const took: number[] = [];
  let done = false;
  const others = (async () => {
    while (!done) {
      const start = performance.now();
      await other.set('other', 'o');
      took.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  for (let sent = 0; sent < 1000; sent++) await patient.write(sets);
  for (let sent = 0; sent < 500; sent++) await patient.write(gets);
  const values = thousand((index) => `$${`value-${index}`.length}\r\nvalue-${index}\r\n`).join('');
  const expected = expecting(
    { bytes: Buffer.from('+OK\r\n'.repeat(1000)), times: 1000 },
    { bytes: Buffer.from(values), times: 500 },
  );
  patient.socket.on('data', (chunk: Buffer) => expected.take(chunk)).resume();
  await waitFor(() => expected.left() === 0, { what: 'every answer', withinMs: 60_000 });
  done = true;
  await others;
  // This process is busy too: now and then it is late itself.
  took.sort((a, b) => a - b);
  expect(took[Math.floor(took.length * 0.9)]).toBeLessThan(400);
  expect(rss(gate.process.pid, 'VmHWM') - gateBefore).toBeLessThan(64 * mib);
  patient.socket.destroy();
});

test('what is no read and no write, in the middle of a pipeline that nobody reads yet, keeps its place', async () => {
  const patient = await writer(gate.port);
  const gets = batchOf(thousand(() => ['GET', 'here']));
  await client(gate.port, { db: 1 }).set('here', 'one'.repeat(100));
  await client(gate.port).set('here', 'zero'.repeat(100));
  const answers: { bytes: Buffer; times: number }[] = [];
  const zero = `$400\r\n${'zero'.repeat(100)}\r\n`;
  for (const round of [0, 1, 0]) {
    await patient.write(writeRequest(['SELECT', String(round)]));
    for (let sent = 0; sent < 30; sent++) await patient.write(gets);
    const value = round === 0 ? zero : `$300\r\n${'one'.repeat(100)}\r\n`;
    answers.push({ bytes: Buffer.from('+OK\r\n'), times: 1 }, { bytes: Buffer.from(value), times: 30_000 });
  }
  await patient.write(batchOf([['MULTI'], ['GET', 'here'], ['EXEC']]));
  for (const text of ['+OK\r\n', '+QUEUED\r\n', `*1\r\n${zero}`])
    answers.push({ bytes: Buffer.from(text), times: 1 });
  const expected = expecting(...answers);
  patient.socket.on('data', (chunk: Buffer) => expected.take(chunk)).resume();
  await waitFor(() => expected.left() === 0, { what: 'every answer', withinMs: 60_000 });
  patient.socket.destroy();
});

test('when the connection of one that is set apart breaks, every request is answered once, and the next as ever', async () => {
  const admin = client(server.port);
  const patient = await writer(gate.port);
  const gets = batchOf(thousand(() => ['GET', 'here']));
  await admin.set('here', 'x'.repeat(100));
  for (let sent = 0; sent < 300; sent++) await patient.write(gets);
  const kept = async () => {
    const lines = String(await admin.client('LIST')).split('\n');
    return lines.find((line) => Number(/ omem=(\d+)/.exec(line)?.[1]) > mib);
  };
  await waitFor(async () => (await kept()) !== undefined, {
    what: 'the server to keep replies',
    withinMs: 60_000,
  });
  await admin.client('KILL', 'ID', /id=(\d+)/.exec((await kept()) as string)?.[1] as string);
  for (let sent = 0; sent < 10; sent++) await patient.write(gets);
  let text = '';
  const value = `$100\r\n${'x'.repeat(100)}\r\n`;
  const count = (part: string) => text.split(part).length - 1;
  patient.socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  patient.socket.resume();
  const all = () => count(value) + count('-UNCERTAIN ') === 310_000;
  await waitFor(all, { what: 'every answer', withinMs: 60_000, everyMs: 200 });
  expect(count('-UNCERTAIN ')).toBeGreaterThan(10_000);
  expect(text.endsWith(value)).toBe(true);
  patient.socket.destroy();
});

test('twenty clients that do not read long replies stay within what all of them may have', async () => {
  const other = client(gate.port);
  await other.set('long', 'l'.repeat(20 * mib));
  await other.set('half', 'h'.repeat(mib / 2));
  const before = rss(gate.process.pid);
  const slow = await Promise.all(Array.from({ length: 20 }, () => writer(gate.port)));
  for (const [index, { write }] of slow.entries()) {
    const request = index % 2 === 0 ? writeRequest(['GET', 'long']) : writeRequest(['GET', 'half']);
    await write(Buffer.concat(Array.from({ length: 30 }, () => request)));
  }
  let sent = -1;
  const standsStill = async () => {
    const { bytesOut } = (await gate.control.status()).counters;
    const still = bytesOut === sent && bytesOut > 10 * mib;
    sent = bytesOut;
    return still;
  };
  await waitFor(standsStill, { what: 'the gate to stand still', withinMs: 60_000, everyMs: 1000 });
  expect(await other.ping()).toBe('PONG');
  // Beside what is promised: what the kernel has not taken, and what the collector has not found yet.
  expect(rss(gate.process.pid, 'VmHWM') - before).toBeLessThan((128 + 100) * mib);
  for (const { socket } of slow) socket.destroy();
});

test('what a client that is gone had not sent to the server is not sent', async () => {
  const reader = client(gate.port, { enableAutoPipelining: false });
  await reader.del('list');
  await reader.rpush('list', ...Array.from({ length: 20 }, () => 'x'.repeat(100_000)));
  // Replies of two megabytes: from now on the gate sends few of them at a time.
  for (let round = 0; round < 60; round++) await reader.lrange('list', 0, -1);
  const readers = Array.from({ length: 4 }, () => client(gate.port));
  for (const each of readers) await each.ping();
  const gone = await RawClient.open(gate.port);
  await gone.ask('PING');
  const taken = async () => (await gate.control.status()).counters.commands;
  process.kill(server.process.pid as number, 'SIGSTOP');
  const reads: Promise<unknown>[] = [];
  try {
    const before = await taken();
    reads.push(...readers.map((each) => each.lrange('list', 0, -1)));
    await waitFor(async () => (await taken()) >= before + 4, { what: 'the reads', withinMs: 60_000 });
    gone.send('SET gone here');
    await waitFor(async () => (await taken()) >= before + 5, { what: 'the write', withinMs: 60_000 });
    const clients = (await gate.control.status()).clients;
    gone.reset();
    await waitFor(async () => (await gate.control.status()).clients < clients, {
      what: 'it to go',
      withinMs: 60_000,
    });
  } finally {
    process.kill(server.process.pid as number, 'SIGCONT');
  }
  for (const read of reads) expect(await read).toHaveLength(20);
  expect(await reader.get('gone')).toBeNull();
});
