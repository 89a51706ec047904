import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type GateProcess, gateFor, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client } from '../support/redis-processes.ts';
import { type Deployment, startDeployment } from '../support/replica-set.ts';

/** The read-only port with two replicas: a client's own connection stays where it is until it or its server goes. */
let deployment: Deployment;
let gate: GateProcess;
beforeAll(async () => {
  deployment = await startDeployment();
  gate = await startGate(gateFor(deployment));
  const admin = client(deployment.members[0]?.port as number);
  for (const { port } of deployment.members) {
    await client(port).call('ACL', 'SETUSER', 'app', 'on', '>word', '~*', '&*', '+@all');
  }
  // Both are to be read from.
  await waitFor(async () => (await admin.info('replication')).match(/state=online/g)?.length === 2, {
    what: 'both replicas online',
    withinMs: 60_000,
  });
});
afterAll(cleanUp);

test('no message is lost to a client that also asks, however the load moves between the replicas', async () => {
  const messages = 20_000;
  const listener = await RawClient.open(gate.replicaPort);
  await listener.ask('HELLO 3');
  await listener.ask('SUBSCRIBE news');
  const readers = Array.from({ length: 8 }, () => client(gate.replicaPort));
  const speaker = client(gate.port);
  let stopped = false;
  const reading = readers.map(async (redis) => {
    while (!stopped) await redis.get('x');
  });
  const speaking = (async () => {
    for (let sent = 0; sent < messages; sent += 100) {
      const batch = speaker.pipeline();
      for (let n = sent; n < sent + 100; n++) batch.publish('news', `${n}`);
      await batch.exec();
    }
  })();
  const heard: number[] = [];
  let answers = 0;
  while (heard.length < messages) {
    const reply = await listener.reply(`message ${heard.length}`);
    if (!reply.startsWith('>')) answers++;
    else heard.push(Number(reply.trimEnd().split('\r\n').at(-1)));
    // RESP3 lets a subscriber ask: each request could be one that goes elsewhere.
    if (heard.length % 20 === 0) listener.send('GET x');
  }
  stopped = true;
  await Promise.all([speaking, ...reading]);
  expect(heard).toEqual(Array.from({ length: messages }, (_, n) => n));
  expect(answers).toBeGreaterThan(100);
});

test('everyone who logs in there is answered, and connections are not made anew all the time', async () => {
  const received = async () => {
    const counts = await Promise.all(
      deployment.members.map(async ({ port }) =>
        Number(/total_connections_received:(\d+)/.exec(await client(port).info('stats'))?.[1]),
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const before = await received();
  for (let round = 0; round < 10; round++) {
    const users = Array.from({ length: 8 }, () => client(gate.replicaPort, { enableReadyCheck: false }));
    const answers = await Promise.all(users.map((redis) => redis.call('AUTH', 'app', 'word')));
    expect(answers).toEqual(new Array(8).fill('OK'));
    expect(await Promise.all(users.map((redis) => redis.call('ACL', 'WHOAMI')))).toEqual(
      new Array(8).fill('app'),
    );
    for (const redis of users) redis.disconnect();
  }
  expect((await received()) - before).toBeLessThan(300);
});
