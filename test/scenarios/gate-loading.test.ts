import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { gateFor, startGate } from '../support/gate-process.ts';
import { cleanUp, client, kill9, type Server, startRedis } from '../support/redis-processes.ts';
import { startDeployment } from '../support/replica-set.ts';

afterEach(cleanUp);

/** 4000 keys in an RDB, each of which takes a millisecond to load: a small server that loads like a large one. */
async function serverThatLoads(): Promise<{ server: Server; startAgain: () => Promise<unknown> }> {
  const server = await startRedis();
  const direct = client(server.port);
  await direct.eval("for i = 1, 4000 do redis.call('SET', 'key:' .. i, i) end", 0);
  await direct.save();
  const slowly = [
    ...server.args,
    '--key-load-delay',
    '500',
    '--loading-process-events-interval-bytes',
    '1024',
  ];
  return { server, startAgain: () => startRedis([], { ...server, args: slowly }) };
}

test('while a server that came back loads its data, its clients wait', async () => {
  const { server, startAgain } = await serverThatLoads();
  const gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: server.port }],
    holdMs: 20_000,
  });
  const [reader, writer] = [client(gate.port), client(gate.port)];
  expect(await reader.get('key:7')).toBe('7');
  await writer.set('key:8', 'x');
  await kill9(server.process);
  const answers = Promise.all([reader.get('key:7'), writer.set('key:9', 'x'), reader.get('key:4000')]);
  const direct = client(server.port, { maxRetriesPerRequest: null, enableReadyCheck: false });
  let sawLoading = false;
  const looking = waitFor(
    async () => {
      const answer = await direct.get('key:7').catch((error: Error) => error.message);
      sawLoading ||= /LOADING/.test(String(answer));
      return answer === '7';
    },
    { what: 'the server to have loaded', withinMs: 60_000, everyMs: 20 },
  );
  await startAgain();
  await looking;
  expect(sawLoading).toBe(true);
  expect(await answers).toEqual(['7', 'OK', '4000']);
  expect((await gate.control.status()).errors).not.toHaveProperty('LOADING');
});

test('when that takes longer than they may wait, they and the status are told so', async () => {
  const { server, startAgain } = await serverThatLoads();
  const gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: server.port }],
    holdMs: 700,
  });
  const writer = client(gate.port);
  await writer.set('key:8', 'x');
  await kill9(server.process);
  const again = startAgain();
  await waitFor(async () => (await gate.control.status()).reason === 'redis-1 loads its data', {
    what: 'the gate to see that the server loads',
    withinMs: 60_000,
  });
  await expect(writer.set('key:9', 'x')).rejects.toThrow(
    'NOPRIMARY the primary did not load its data within 700 ms',
  );
  await again;
  await waitFor(async () => (await gate.control.status()).state === 'open', {
    what: 'the gate to open',
    withinMs: 60_000,
  });
  expect(await writer.set('key:9', 'x')).toBe('OK');
});

test('a gate that starts while the replicas are not back yet waits for them', async () => {
  const deployment = await startDeployment({ settings: ['--min-replicas-to-write', '1'] });
  const [primary, ...replicas] = deployment.members as [Server, ...Server[]];
  for (const replica of replicas) await kill9(replica.process);
  const direct = client(primary.port);
  const refused = async () =>
    /NOREPLICAS/.test(await direct.set('k', 1).catch((error: Error) => error.message));
  await waitFor(refused, { what: 'the primary to refuse writes', withinMs: 60_000 });
  const gate = await startGate(gateFor(deployment));
  const write = client(gate.port).set('k', 2);
  await waitFor(async () => (await gate.control.status()).counters.retried > 0, {
    what: 'the write to be refused',
    withinMs: 60_000,
  });
  for (const replica of replicas) await startRedis([], replica);
  expect(await write).toBe('OK');
  expect((await gate.control.status()).errors).not.toHaveProperty('NOREPLICAS');
});
