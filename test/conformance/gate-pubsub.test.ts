import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, type Server, startRedis } from '../support/redis-processes.ts';

let direct: Server;
let gate: GateProcess;

beforeAll(async () => {
  direct = await startRedis();
  const behind = await startRedis();
  gate = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }] });
});
afterAll(cleanUp);

/** Everything that a subscriber, a publisher and a tracking client see, in order. */
async function conversation(port: number, protocol: number): Promise<string[]> {
  const seen: string[] = [];
  const one = await RawClient.open(port);
  const two = await RawClient.open(port);
  const ask = async (who: RawClient, line: string, replies = 1) => {
    who.send(line);
    for (let index = 0; index < replies; index++) seen.push(`${line}: ${await who.reply(line)}`);
  };
  for (const each of [one, two]) await each.ask(`HELLO ${protocol}`);
  await ask(one, 'SUBSCRIBE a b c', 3);
  await ask(one, 'PSUBSCRIBE x* y*', 2);
  await ask(one, 'SSUBSCRIBE shard', 1);
  await ask(one, 'PING', 1);
  await ask(one, 'PING hello', 1);
  await ask(one, 'GET k', 1);
  await ask(two, 'PUBLISH a hello');
  seen.push(await one.reply('a message'));
  await ask(two, 'PUBLISH xyz "two words"');
  seen.push(await one.reply('a pmessage'));
  await ask(two, 'SPUBLISH shard s');
  seen.push(await one.reply('an smessage'));
  await ask(one, 'UNSUBSCRIBE a', 1);
  await ask(two, 'PUBLISH a nobody');
  await ask(one, 'UNSUBSCRIBE nothing', 1);
  one.send('UNSUBSCRIBE');
  seen.push(
    ...[await one.reply(), await one.reply()].toSorted().map((reply) => reply.replace(/:\d\r\n$/, '')),
  );
  one.send('PUNSUBSCRIBE');
  seen.push(
    ...[await one.reply(), await one.reply()].toSorted().map((reply) => reply.replace(/:\d\r\n$/, '')),
  );
  await ask(one, 'SUNSUBSCRIBE', 1);
  await ask(one, 'UNSUBSCRIBE', 1);
  await ask(one, 'SET k v', 1);
  await ask(one, 'GET k', 1);
  await ask(one, 'SUBSCRIBE again', 1);
  await ask(one, 'RESET', 1);
  await ask(one, 'GET k', 1);
  for (const each of [one, two]) each.close();
  return seen;
}

for (const protocol of [2, 3]) {
  test(`subscriptions of all kinds, in RESP${protocol}`, async () => {
    expect(await conversation(gate.port, protocol)).toEqual(await conversation(direct.port, protocol));
  });
}

test('CLIENT TRACKING tells a RESP3 client what others changed', async () => {
  const tracked = async (port: number) => {
    const one = await RawClient.open(port);
    const two = await RawClient.open(port);
    await one.ask('HELLO 3');
    const seen = [await one.ask('CLIENT TRACKING on'), await one.ask('GET tracked')];
    await two.ask('SET tracked 1');
    seen.push(
      await one.reply('an invalidation'),
      await one.ask('GET tracked'),
      await one.ask('CLIENT TRACKING off'),
    );
    for (const each of [one, two]) each.close();
    return seen;
  };
  expect(await tracked(gate.port)).toEqual(await tracked(direct.port));
});

test('MONITOR shows what others do', async () => {
  const one = await RawClient.open(gate.port);
  const two = await RawClient.open(gate.port);
  expect(await one.ask('MONITOR')).toBe('+OK\r\n');
  await two.ask('SET watched 1');
  let line = '';
  while (!line.includes('"SET" "watched" "1"')) line = await one.reply('the monitored command');
  expect(line).toMatch(/^\+\d+\.\d+ \[0 /);
  for (const each of [one, two]) each.close();
});
