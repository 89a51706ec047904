import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, startRedis } from '../support/redis-processes.ts';

afterAll(cleanUp);

/** A network in front of a server: what was connected when it broke stays silent for ever, as TCP does for a good while. */
async function fragileNetwork(target: number) {
  let whole = true;
  const pairs: Socket[] = [];
  const server = createServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => {});
    pairs.push(near, far);
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    fail: () => {
      whole = false;
      for (const socket of pairs) socket.unpipe().pause();
    },
    heal: () => {
      whole = true;
    },
    close: () => {
      server.close();
      for (const socket of pairs) socket.destroy();
    },
  };
}

test('what was in flight when the network failed is answered once the server is there again, not when TCP tries again', async () => {
  const redis = await startRedis();
  const network = await fragileNetwork(redis.port);
  const gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: network.port }],
  });
  const [writer, reader] = await Promise.all([RawClient.open(gate.port), RawClient.open(gate.port)]);
  expect(await writer.ask('SET k before')).toBe('+OK\r\n');
  expect(await reader.ask('GET k')).toBe('$6\r\nbefore\r\n');
  network.fail();
  const sentMs = performance.now();
  writer.send('SET k after');
  reader.send('GET k');
  const state = async () => (await gate.control.status()).state;
  await waitFor(async () => (await state()) === 'holding', { what: 'the gate to hold', withinMs: 60_000 });
  // For so long a server may be busy with what it was sent.
  await waitFor(() => performance.now() - sentMs > 1100, { what: 'a second to pass', withinMs: 2000 });
  network.heal();
  expect(await writer.reply('SET')).toMatch(/^-UNCERTAIN /);
  expect(await reader.reply('GET')).toBe('$6\r\nbefore\r\n');
  expect(await writer.ask('SET k again')).toBe('+OK\r\n');
  for (const each of [writer, reader, network]) each.close();
});

test('a write that nobody waits behind is answered when its server has been lost for as long as anybody waits', async () => {
  const redis = await startRedis();
  const network = await fragileNetwork(redis.port);
  const gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: network.port }],
    holdMs: 1500,
  });
  const writer = await RawClient.open(gate.port);
  expect(await writer.ask('SET k before')).toBe('+OK\r\n');
  network.fail();
  writer.send('SET k after');
  expect(await writer.reply('SET')).toMatch(/^-UNCERTAIN /);
  expect(await writer.ask('GET k')).toMatch(/^-NOPRIMARY /);
  network.heal();
  const isBack = async () => (await writer.ask('SET k again')) === '+OK\r\n';
  await waitFor(isBack, { what: 'a write', withinMs: 60_000 });
  for (const each of [writer, network]) each.close();
});
