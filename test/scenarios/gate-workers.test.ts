import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { childrenOf } from '../../src/process/stat.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { cleanUp, client, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';

/** Workers that fail: an uncaught exception ends one with status 1, SIGSTOP makes one hang. */

let server: Server;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(cleanUp);

/** Once it is there, a worker of the last gate started takes a second longer to start. */
let slowFile: string;

/** A gate whose processes throw where nothing catches it when they get SIGUSR2. */
async function startFragile(workers: number, limit = 5): Promise<GateProcess> {
  const file = path.join(tempFolder(), 'fragile.cjs');
  slowFile = path.join(path.dirname(file), 'slow');
  const wait = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)';
  writeFileSync(
    file,
    `process.on('SIGUSR2', () => { throw new Error('made to fail'); });
if (require('node:fs').existsSync(${JSON.stringify(slowFile)})) ${wait};\n`,
  );
  process.env['NODE_OPTIONS'] = `--require ${file}`;
  try {
    const members = [{ id: 'redis-1', address: '127.0.0.1', port: server.port }];
    return await startGate({ members, workers, restarts: { limit, withinMs: 60_000 } });
  } finally {
    delete process.env['NODE_OPTIONS'];
  }
}

function workersOf(gate: GateProcess): number[] {
  return childrenOf(gate.process.pid as number);
}

const restarted = (gate: GateProcess, restarts: number) =>
  waitFor(async () => (await gate.control.status()).workers.restarts >= restarts, {
    what: `${restarts} restarts`,
    withinMs: 60_000,
  });
const allRun = (gate: GateProcess, wanted: number) =>
  waitFor(async () => (await gate.control.status()).workers.running === wanted, {
    what: `${wanted} workers`,
    withinMs: 60_000,
  });
const exitOf = (gate: GateProcess) =>
  new Promise<number | null>((resolve) => gate.process.once('exit', (code) => resolve(code)));

test('a worker that ends with status 1, and one that hangs, is replaced and told of', async () => {
  const gate = await startFragile(2);
  expect((await gate.control.status()).workers).toEqual({ wanted: 2, running: 2, restarts: 0 });
  process.kill(workersOf(gate)[0] as number, 'SIGUSR2');
  await restarted(gate, 1);
  expect(gate.log()).toMatch(/worker \d ended with status [17]; starting another/);
  await allRun(gate, 2);

  const hung = workersOf(gate)[0] as number;
  process.kill(hung, 'SIGSTOP');
  await restarted(gate, 2);
  expect(gate.log()).toMatch(/worker \d does not answer any more/);
  await allRun(gate, 2);
  expect(workersOf(gate)).not.toContain(hung);
  for (let index = 0; index < 4; index++) expect(await client(gate.port).ping()).toBe('PONG');
});

test('a worker that is started in the middle of a hold joins it', async () => {
  const gate = await startFragile(2);
  await gate.control.hold({ reason: 'test', maxMs: 20_000 });
  for (const pid of workersOf(gate)) process.kill(pid, 'SIGKILL');
  await restarted(gate, 2);
  await allRun(gate, 2);
  const holds = async () => (await gate.control.status()).reason === 'test';
  await waitFor(holds, { what: 'the new workers to hold', withinMs: 60_000 });
  await gate.control.release();
  expect((await gate.control.status()).state).toBe('open');
});

test('workers that end too often are given up, and then the gate ends too, with an error', async () => {
  const gate = await startFragile(2, 1);
  const exited = exitOf(gate);
  const alive = () => gate.process.exitCode === null;
  for (let round = 0; round < 40 && alive(); round++) {
    for (const pid of workersOf(gate)) process.kill(pid, 'SIGKILL');
    const noneOrNew = async () => !alive() || (await gate.control.status()).workers.running > 0;
    await waitFor(() => noneOrNew().catch(() => false), { what: 'the next worker', withinMs: 60_000 }).catch(
      () => {},
    );
  }
  expect(await exited).toBe(1);
  expect(gate.log()).toContain('all 2 workers ended too often');
});

test('a gate whose workers are all gone, or hang, ends when it is told to', async () => {
  const gone = await startFragile(2, 0);
  const hanging = await startFragile(2);
  const exits = [exitOf(gone), exitOf(hanging)];
  for (const pid of workersOf(hanging)) process.kill(pid, 'SIGSTOP');
  for (const pid of workersOf(gone)) process.kill(pid, 'SIGKILL');
  for (const gate of [gone, hanging]) gate.process.kill('SIGTERM');
  const [ofGone, ofHanging] = await Promise.all(exits);
  // It may have seen that all of them are gone before it was told to end.
  expect(ofGone === 0 || gone.log().includes('ended too often')).toBe(true);
  expect(ofHanging).toBe(0);
});

const stateOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];

/** What a client that connects and sends PING gets: its answer, or the end of its connection. */
function ping(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
  return new Promise((resolve) => {
    socket.once('data', (data) => {
      resolve(String(data));
      socket.destroy();
    });
    // A reset is one more way of its end.
    socket.once('error', () => {}).once('close', () => resolve('closed'));
  });
}

test('who is on the way to a worker that is killed is disconnected, and does not wait for ever', async () => {
  const gate = await startFragile(2);
  const victim = workersOf(gate)[0] as number;
  process.kill(victim, 'SIGSTOP');
  await waitFor(() => stateOf(victim) === 'T', { what: 'the worker to stand still', withinMs: 60_000 });
  // The worker that stands still is handed one of them, and no other before it has said that it took that.
  const ends: string[] = [];
  const all = Array.from({ length: 4 }, async () => ends.push(await ping(gate.port)));
  await waitFor(() => ends.length >= 3, { what: 'the others', withinMs: 60_000 });
  process.kill(victim, 'SIGKILL');
  await Promise.all(all);
  expect(ends).toEqual(['+PONG\r\n', '+PONG\r\n', '+PONG\r\n', 'closed']);
});

test('a worker that starts in the middle of a drain is told to drain as well', async () => {
  const gate = await startFragile(2);
  const exited = exitOf(gate);
  writeFileSync(slowFile, '');
  process.kill(workersOf(gate)[0] as number, 'SIGKILL');
  await waitFor(() => gate.log().includes('starting another') && workersOf(gate).length === 2, {
    what: 'the next worker to be started',
    withinMs: 60_000,
    everyMs: 10,
  });
  gate.process.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(gate.log().match(/draining: 0 clients/g)).toHaveLength(2);
  expect(gate.log()).not.toContain('is killed');
});
