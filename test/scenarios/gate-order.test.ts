import { afterAll, afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { type GateProcess, gateFor, startGate } from '../support/gate-process.ts';
import { chooseSeed, Random } from '../support/random.ts';
import { cleanUp, kill9, type Server, startRedis } from '../support/redis-processes.ts';
import { type Deployment, failOver, startDeployment, waitUntilFollowed } from '../support/replica-set.ts';
import { TaggedClient } from '../support/tagged-client.ts';
import { howMany, isWhole } from '../support/whole-run.ts';

/**
 * Random pipelines of requests whose replies are known, sent while connections break and primaries change: each
 * reply must be that of the request that is next, and every request must get one.
 */

afterEach(cleanUp);
afterAll(cleanUp);

const seed = chooseSeed();
const again = `again: HOLDFAST_SEED=${seed}`;
/** How often connections are cut. */
const wantedCuts = howMany('HOLDFAST_CUTS', 150, 5000);

async function openClients(
  gate: GateProcess,
  random: Random,
  count: number,
  stoodStill?: () => boolean,
): Promise<TaggedClient[]> {
  const clients: TaggedClient[] = [];
  for (let id = 1; id <= count; id++) {
    clients.push(await TaggedClient.open(gate.port, random, id, id % 2 === 0 ? 3 : 2, stoodStill));
  }
  return clients;
}

const sum = (clients: TaggedClient[], of: (client: TaggedClient) => number) =>
  clients.reduce((total, each) => total + of(each), 0);
const anyComplains = (clients: TaggedClient[]) => clients.some(({ complaint }) => complaint !== null);

async function expectAllAnswered(clients: TaggedClient[], gate: GateProcess): Promise<void> {
  for (const each of clients) each.stop();
  const done = () => clients.every((each) => each.done);
  await waitFor(done, { what: 'the last answers', withinMs: 60_000 }).catch(() => {});
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
    const clients = await openClients(gate, random, 12, () => proxy.stoodStill);
    proxy.cutsIn1000 = 40;
    const enough = () => proxy.cuts >= wantedCuts || anyComplains(clients);
    await waitFor(enough, { what: `${wantedCuts} cuts (${again})`, withinMs: 1_000_000 });
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
  } finally {
    proxy.stop();
  }
}, 1_200_000);

test.runIf(isWhole)(
  'every reply belongs to its request through planned changes of primary and a crash',
  async () => {
    const random = new Random(seed);
    const deployment = await startDeployment({ settings: ['--min-replicas-to-write', '1'] });
    const gate = await startGate({ ...gateFor(deployment), holdMs: 30_000 });
    const clients = await openClients(gate, random, 12);
    const someMore = async () => {
      const wanted = sum(clients, ({ answered }) => answered) + 2000;
      const goesOn = () => sum(clients, ({ answered }) => answered) >= wanted || anyComplains(clients);
      await waitFor(goesOn, { what: `2000 answers (${again})`, withinMs: 60_000 });
    };
    await someMore();
    const second = await failOver(deployment);
    await someMore();
    await waitUntilFollowed(deployment, second);
    const dead = deployment.members.find(({ port }) => port === second) as Server;
    await kill9(dead.process);
    const third = await failOver(deployment);
    await someMore();
    await bringBack(deployment, dead, third);
    await failOver(deployment);
    await someMore();
    await expectAllAnswered(clients, gate);
    expect((await gate.control.status()).counters.switches, gate.log()).toBe(3);
  },
);

/** What an agent does: the member that died comes back and follows. */
async function bringBack(deployment: Deployment, dead: Server, primary: number): Promise<void> {
  const args = [...dead.args, '--replicaof', '127.0.0.1', `${primary}`];
  const back = await startRedis([], { port: dead.port, folder: dead.folder, args });
  deployment.members[deployment.members.indexOf(dead)] = back;
  await waitUntilFollowed(deployment, primary);
}
