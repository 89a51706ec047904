import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { startGate } from '../support/gate-process.ts';
import { cleanUp, client, kill9, type Server, startRedis } from '../support/redis-processes.ts';
import { relay } from '../support/relay.ts';

/** Requests that their server does not survive: they must not take one member down after the other. */

afterAll(cleanUp);

/** The process that answers now may be newer than the one that the test knows of. */
async function killCurrent(server: { now: Server }): Promise<void> {
  const isKnown = () => server.now.process.exitCode === null && server.now.process.signalCode === null;
  await waitFor(isKnown, { what: 'the process that answers', withinMs: 60_000, everyMs: 1 });
  await kill9(server.now.process);
}

/** A way to the server on which a request with this word in it is the last thing that the server sees. */
async function deadlyWay(server: { now: Server }, word: string): Promise<{ port: number; deaths(): number }> {
  let deaths = 0;
  const port = await relay(
    () => server.now.port,
    (near, far) => {
      near.on('data', (chunk) => {
        if (chunk.includes(word)) {
          deaths++;
          void killCurrent(server).then(() => near.destroy());
        } else far.write(chunk);
      });
      far.on('data', (chunk) => near.write(chunk));
    },
  );
  return { port, deaths: () => deaths };
}

test('a read that its server does not survive is sent once more, and not to a third', async () => {
  const server = { now: await startRedis() };
  const way = await deadlyWay(server, 'deadly');
  const gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: way.port }],
    holdMs: 30_000,
  });
  const [reader, other] = [client(gate.port), client(gate.port)];
  await reader.ping();
  const answer = reader.get('deadly').catch((error: Error) => error.message);
  for (let death = 1; death <= 2; death++) {
    await waitFor(() => way.deaths() === death && server.now.process.signalCode !== null, {
      what: `death ${death}`,
      withinMs: 60_000,
    });
    server.now = await startRedis([], server.now);
  }
  expect(await answer).toMatch(/^UNCERTAIN two servers were lost while they had this request/);
  expect(await other.ping()).toBe('PONG');
  expect(way.deaths()).toBe(2);
});

test('a read that had kept its server silent for long is not sent again; those behind it are', async () => {
  let server = await startRedis();
  const members = [{ id: 'redis-1', address: '127.0.0.1', port: server.port }];
  const gate = await startGate({ members, holdMs: 30_000 });
  const [slow, other] = [client(gate.port), client(gate.port)];
  await Promise.all([slow.ping(), other.ping()]);
  const taken = async () => (await gate.control.status()).counters.commands;
  const before = await taken();
  const answer = slow.call('EVAL_RO', 'while true do end', '0').catch((error: Error) => error.message);
  await waitFor(async () => (await taken()) > before, { what: 'the slow read', withinMs: 60_000 });
  const behind = other.get('nothing');
  const since = performance.now();
  await waitFor(() => performance.now() - since > 1500, {
    what: 'the server to be silent for long',
    withinMs: 60_000,
  });
  await kill9(server.process);
  server = await startRedis([], server);
  expect(await answer).toMatch(/^UNCERTAIN the server was silent while it had this request/);
  expect(await behind).toBeNull();
  expect(await client(server.port).info('commandstats')).not.toContain('eval_ro');
});
