import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';

/** A client that subscribed at the read-only port stays where it is. */

let primary: Server;
let replicas: Server[];
let gate: GateProcess;

beforeAll(async () => {
  primary = await startRedis();
  const follows = () => startRedis(['--replicaof', '127.0.0.1', `${primary.port}`]);
  replicas = await Promise.all([follows(), follows()]);
  gate = await startGate({
    members: [primary, ...replicas].map(({ port }, index) => ({
      id: `redis-${index + 1}`,
      address: '127.0.0.1',
      port,
    })),
    replicaFallback: 'error',
  });
  const reads = client(gate.replicaPort);
  await waitFor(async () => (await reads.get('a').catch(() => 'no')) === null, {
    what: 'replicas',
    withinMs: 60_000,
  });
  const links = async () =>
    (await client(primary.port).info('replication')).match(/state=online/g)?.length === 2;
  await waitFor(links, { what: 'both replicas', withinMs: 60_000 });
});
afterAll(cleanUp);

/** The ids of the connections that subscribe, at either replica. */
async function subscribers(): Promise<string[]> {
  const lists = await Promise.all(
    replicas.map(({ port }) => client(port).call('CLIENT', 'LIST', 'TYPE', 'pubsub')),
  );
  return lists.flatMap((list, index) =>
    [...String(list).matchAll(/^id=(\d+)/gm)].map(([, id]) => `${index}:${id}`),
  );
}

test('no message is lost in a steady state, and nobody moves, whatever others do', async () => {
  const subscriber = await RawClient.open(gate.replicaPort);
  expect(await subscriber.ask('SUBSCRIBE news')).toContain('subscribe');
  await waitFor(async () => (await subscribers()).length === 1, {
    what: 'the subscription',
    withinMs: 60_000,
  });
  const before = await subscribers();
  const publisher = client(gate.port);
  const others = Array.from({ length: 4 }, () => client(gate.replicaPort));
  let asked = 1;
  let heard = 0;
  for (let round = 0; round < 100; round++) {
    const sent = Array.from({ length: 100 }, (_, index) =>
      publisher.publish('news', `${round * 100 + index}`),
    );
    // Load that shifts, and further subscriptions, each of which looks for the client's connection anew.
    // Whether they are answered is nobody's question: no replica may be there for a moment, see below.
    for (const other of others.slice(0, 1 + (round % 4))) other.get(`k${round}`).catch(() => {});
    if (round % 10 === 0) {
      subscriber.send(`SUBSCRIBE other${round}`);
      asked++;
    }
    // Somebody else's connection breaks: its replica may not be read from until it is seen again.
    if (round % 25 === 10)
      for (const { port } of replicas) await client(port).call('CLIENT', 'KILL', 'TYPE', 'normal');
    await Promise.all(sent);
  }
  while (heard < 10_000) {
    const reply = await subscriber.reply(`message ${heard}`, 5000);
    if (reply.includes('\r\nmessage\r\n')) expect(reply).toContain(`\r\n${heard++}\r\n`);
    else asked--;
  }
  expect(asked).toBe(1);
  expect(await subscribers()).toEqual(before);
  subscriber.close();
});

test('clients that want a connection of their own at the same time all get their answer', async () => {
  const raws = await Promise.all(Array.from({ length: 8 }, () => RawClient.open(gate.replicaPort)));
  const opened = async () =>
    Number(/total_connections_received:(\d+)/.exec(await client(replicas[0]!.port).info('stats'))?.[1]);
  const before = await opened();
  for (const raw of raws) raw.send('AUTH nobody nothing');
  for (const raw of raws) expect(await raw.reply('AUTH')).toMatch(/^-WRONGPASS /);
  expect((await opened()) - before).toBeLessThan(30);
  for (const raw of raws) raw.close();
});
