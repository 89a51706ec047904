import { afterAll, afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { chooseSeed, Random } from '../support/random.ts';
import { cleanUp, startRedis } from '../support/redis-processes.ts';
import { TaggedClient } from '../support/tagged-client.ts';

afterEach(cleanUp);
afterAll(cleanUp);

const seed = chooseSeed();
const again = `again: HOLDFAST_SEED=${seed}`;

async function openClients(gate: GateProcess, random: Random, count: number): Promise<TaggedClient[]> {
  const clients: TaggedClient[] = [];
  for (let id = 1; id <= count; id++) {
    clients.push(await TaggedClient.open(gate.port, random, id, id % 2 === 0 ? 3 : 2));
  }
  return clients;
}

const sum = (clients: TaggedClient[], of: (client: TaggedClient) => number) =>
  clients.reduce((total, each) => total + of(each), 0);

async function expectAllAnswered(clients: TaggedClient[], gate: GateProcess): Promise<void> {
  for (const each of clients) each.stop();
  const done = () => clients.every((each) => each.done);
  await waitFor(done, { what: 'the last answers', withinMs: 40_000 }).catch(() => {});
  const stuck = clients.filter((each) => !each.done).map((each) => each.waitsFor);
  const complaints = clients.flatMap(({ complaint }) => complaint ?? []);
  for (const each of clients) each.close();
  expect({ complaints, stuck, again }).toEqual({ complaints: [], stuck: [], again });
  expect(gate.log()).not.toContain('answered what was not asked');
}

test('every reply belongs to its request, however often connections to the server break', async () => {
  const random = new Random(seed);
  const behind = await startRedis();
  const proxy = await CuttingProxy.start(behind.port, random);
  try {
    const gate = await startGate({
      members: [{ id: 'redis-1', address: '127.0.0.1', port: proxy.port }],
      holdMs: 30_000,
    });
    const clients = await openClients(gate, random, 12);
    proxy.cutsIn1000 = 4;
    const enough = () => proxy.cuts >= 400 || clients.some(({ complaint }) => complaint !== null);
    await waitFor(enough, { what: `400 cuts (${again})`, withinMs: 60_000 });
    proxy.cutsIn1000 = 0;
    await expectAllAnswered(clients, gate);
    expect(
      sum(clients, ({ uncertain }) => uncertain),
      again,
    ).toBeGreaterThan(0);
    expect(
      sum(clients, ({ messages }) => messages),
      again,
    ).toBeGreaterThan(0);
    console.log(
      `${sum(clients, ({ answered }) => answered)} answers, ${sum(clients, ({ uncertain }) => uncertain)} uncertain, ${proxy.cuts} cuts`,
    );
  } finally {
    proxy.stop();
  }
}, 120_000);
