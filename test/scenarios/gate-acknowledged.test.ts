import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { testEngines, whyNoValkey } from '../support/engines.ts';
import { startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, freePort, start, startSentinel, tempFolder } from '../support/redis-processes.ts';

/** What WAIT waits for differs from engine to engine; what an acknowledged write means does not. */

afterEach(cleanUp);
afterAll(cleanUp);

test.runIf(whyNoValkey() !== undefined)('Valkey is skipped', (context) => context.skip(whyNoValkey()));

describe.each(testEngines())('$name', ({ binary }) => {
  test('replicated: an acknowledged write is on every replica, and is acknowledged as soon as it is', async () => {
    const primary = await startServer(binary);
    const replicas = await Promise.all([startServer(binary, primary), startServer(binary, primary)]);
    const direct = client(primary);
    await waitForReplicas(primary, 2);
    const members = [primary, ...replicas].map((port, index) => ({
      id: `redis-${index + 1}`,
      address: '127.0.0.1',
      port,
    }));
    const sentinel = await startSentinel('orders', primary, 1);
    const asked = client(sentinel.port);
    const eligible = async () =>
      ((await asked.call('SENTINEL', 'REPLICAS', 'orders')) as string[][]).filter((each) => {
        return each[each.indexOf('master-link-status') + 1] === 'ok';
      }).length === 2;
    await waitFor(eligible, { what: 'the Sentinel to know both replicas', withinMs: 60_000 });
    const sentinels = [{ address: '127.0.0.1', port: sentinel.port }];
    const gate = await startGate({ members, sentinels, durability: 'replicated' });
    const writer = client(gate.port);
    const readers = replicas.map((port) => client(port));
    await writer.set('k', 'first');
    const started = performance.now();
    for (let round = 0; round < 20; round++) {
      // Somebody else's writes, of which the gate's own connection to the primary knows nothing.
      await direct.incr('other');
      expect(await writer.set('k', `${round}`)).toBe('OK');
      for (const reader of readers) expect(await reader.get('k')).toBe(`${round}`);
    }
    // A replica that nobody asks acknowledges once a second.
    expect(performance.now() - started).toBeLessThan(8000);
  });

  test('WAIT is about what was written through shared connections, too', async () => {
    const primary = await startServer(binary);
    const [slow] = await Promise.all([startServer(binary, primary), startServer(binary, primary)]);
    await waitForReplicas(primary, 2);
    const gate = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: primary }] });
    const [writer, leaver] = [await RawClient.open(gate.port), await RawClient.open(gate.port)];
    const pid = Number(/process_id:(\d+)/.exec(await client(slow as number).info('server'))?.[1]);
    expect(await writer.ask('SET a 1')).toBe('+OK\r\n');
    expect(await writer.ask('WAIT 2 10000')).toBe(':2\r\n');
    expect(await writer.ask('WAIT many 0')).toBe('-ERR value is not an integer or out of range\r\n');
    process.kill(pid, 'SIGSTOP');
    try {
      expect(await writer.ask('SET b 1')).toBe('+OK\r\n');
      const since = performance.now();
      expect(await writer.ask('WAIT 2 300')).toBe(':1\r\n');
      expect(performance.now() - since).toBeGreaterThan(290);
      expect(await writer.ask('WAIT 1 10000')).toBe(':1\r\n');
      // Somebody who goes while it waits is gone, and nothing that comes behind WAIT is answered before it.
      leaver.send('WAIT 2 0');
      for (const line of ['WAIT 2 0', 'ECHO behind']) writer.send(line);
      await waitFor(async () => (await gate.control.status()).clients === 2, {
        what: 'both clients',
        withinMs: 60_000,
      });
      leaver.close();
      await waitFor(async () => (await gate.control.status()).clients === 1, {
        what: 'the one that left to be gone',
        withinMs: 60_000,
      });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect([await writer.reply(), await writer.reply()]).toEqual([':2\r\n', '$6\r\nbehind\r\n']);
    writer.close();
  });
});

async function waitForReplicas(primary: number, count: number): Promise<void> {
  const online = async () => (await client(primary).info('replication')).match(/state=online/g)?.length;
  await waitFor(async () => (await online()) === count, { what: `${count} replicas`, withinMs: 60_000 });
}

async function startServer(binary: string, of?: number): Promise<number> {
  const port = await freePort();
  const folder = tempFolder();
  const options = `--port ${port} --bind 127.0.0.1 --dir ${folder} --save --appendonly no --repl-diskless-sync-delay 0`;
  const args = options.split(' ').flatMap((each) => (each === '--save' ? [each, ''] : [each]));
  const follows = of === undefined ? [] : ['--replicaof', '127.0.0.1', `${of}`];
  start(binary, [...args, ...follows], path.join(folder, 'log'));
  const answers = async () => (await client(port).ping()) === 'PONG';
  await waitFor(answers, { what: `the server on ${port}`, withinMs: 60_000 });
  return port;
}
