import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { cleanUp, client, kill9, startRedis } from '../support/redis-processes.ts';

afterAll(cleanUp);

/** How many commands the gate has taken. */
const taken = async (gate: GateProcess) => (await gate.control.status()).counters.commands;

test('a write that waited behind long replies when the server died was not executed, and is sent again', async () => {
  const server = await startRedis();
  const gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: server.port }],
    holdMs: 20_000,
  });
  const reader = client(gate.port, { enableAutoPipelining: false });
  const writer = client(gate.port);
  await reader.rpush('long', ...Array.from({ length: 20 }, () => 'x'.repeat(100_000)));
  // Replies of two megabytes: from now on the gate sends few of them at a time.
  for (let round = 0; round < 60; round++) await reader.lrange('long', 0, -1);

  // One each: a client with such replies may have one under way.
  const readers = Array.from({ length: 4 }, () => client(gate.port));
  for (const each of readers) await each.ping();
  process.kill(server.process.pid as number, 'SIGSTOP');
  const before = await taken(gate);
  const reads = readers.map((each) => each.lrange('long', 0, -1));
  await waitFor(async () => (await taken(gate)) >= before + 4, { what: 'the reads', withinMs: 60_000 });
  const write = writer.set('behind', 'them');
  await waitFor(async () => (await taken(gate)) >= before + 5, { what: 'the write', withinMs: 60_000 });
  await kill9(server.process);
  await startRedis([], server);

  expect(await write).toBe('OK');
  // Reads are sent again; the new server has no list.
  expect(await Promise.all(reads)).toEqual([[], [], [], []]);
  expect((await gate.control.status()).counters.uncertain).toBe(0);
  expect(await writer.get('behind')).toBe('them');
});
