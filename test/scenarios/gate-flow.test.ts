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
  gate = await startGate({ members, limits: { totalBytes: 128 * mib, replyBytes: 32 * mib } });
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
  const write = (bytes: Buffer) =>
    new Promise<void>((resolve) => {
      if (socket.destroyed || socket.write(bytes)) resolve();
      else socket.once('drain', resolve).once('close', resolve);
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
  expect(longest).toBeLessThan(1000);
  expect(rss(server.process.pid, 'VmHWM') - serverBefore).toBeLessThan(64 * mib);
  expect(rss(gate.process.pid, 'VmHWM') - gateBefore).toBeLessThan(150 * mib);
  greedy.socket.destroy();
  await writing;
}, 90_000);

test('who writes everything before it reads anything gets all its answers', async () => {
  const [sets, gets] = [100_000, 50_000];
  await client(gate.port).set('some', 'v'.repeat(300));
  const patient = await writer(gate.port);
  const start = performance.now();
  const set = Buffer.concat(Array.from({ length: 1000 }, () => writeRequest(['SET', 'k', 'x'.repeat(50)])));
  const get = Buffer.concat(Array.from({ length: 1000 }, () => writeRequest(['GET', 'some'])));
  for (let sent = 0; sent < sets; sent += 1000) await patient.write(set);
  for (let sent = 0; sent < gets; sent += 1000) await patient.write(get);
  const wanted = sets * '+OK\r\n'.length + gets * '$300\r\n\r\n'.length + gets * 300;
  let received = 0;
  patient.socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  patient.socket.resume();
  await waitFor(() => received >= wanted, { what: 'every answer', withinMs: 60_000 });
  expect(received).toBe(wanted);
  expect(performance.now() - start).toBeLessThan(60_000);
  patient.socket.destroy();
}, 120_000);

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
}, 120_000);

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
    await waitFor(async () => (await taken()) >= before + 4, { what: 'the reads', withinMs: 10_000 });
    gone.send('SET gone here');
    await waitFor(async () => (await taken()) >= before + 5, { what: 'the write', withinMs: 10_000 });
    const clients = (await gate.control.status()).clients;
    gone.reset();
    await waitFor(async () => (await gate.control.status()).clients < clients, {
      what: 'it to go',
      withinMs: 5000,
    });
  } finally {
    process.kill(server.process.pid as number, 'SIGCONT');
  }
  for (const read of reads) expect(await read).toHaveLength(20);
  expect(await reader.get('gone')).toBeNull();
}, 60_000);
