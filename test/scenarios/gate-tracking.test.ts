import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';

/** Client-side caching through the gate, and across a change of primary. */

let servers: Server[];
let gate: GateProcess;
let primary = 0;

beforeAll(async () => {
  servers = [await startRedis(), await startRedis()];
  gate = await startGate({
    members: servers.map(({ port }, index) => ({ id: `redis-${index + 1}`, address: '127.0.0.1', port })),
  });
});
afterAll(cleanUp);

async function changePrimary(): Promise<void> {
  primary = 1 - primary;
  await gate.control.switch({ address: '127.0.0.1', port: (servers[primary] as Server).port });
}

const flush3 = '>2\r\n$10\r\ninvalidate\r\n_\r\n';
const told3 = (key: string) => `>2\r\n$10\r\ninvalidate\r\n*1\r\n$${key.length}\r\n${key}\r\n`;
const flush2 = '*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n';
const told2 = (key: string) =>
  `*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$${key.length}\r\n${key}\r\n`;

test('after a change of primary a client is told to forget everything, and goes on tracking', async () => {
  const one = await RawClient.open(gate.port);
  await one.ask('HELLO 3');
  expect(await one.ask('CLIENT TRACKING ON')).toBe('+OK\r\n');
  await one.ask('GET a');
  await changePrimary();
  expect(await one.reply('the flush')).toBe(flush3);
  await one.ask('GET a');
  await client(gate.port).set('a', '1');
  expect(await one.reply('a')).toBe(told3('a'));
  one.close();
});

test('BCAST keeps all of its prefixes', async () => {
  const one = await RawClient.open(gate.port);
  await one.ask('HELLO 3');
  for (const prefix of ['x:', 'y:', 'z:']) {
    expect(await one.ask(`CLIENT TRACKING ON BCAST PREFIX ${prefix}`)).toBe('+OK\r\n');
  }
  await changePrimary();
  expect(await one.reply('the flush')).toBe(flush3);
  const info = await one.ask('CLIENT TRACKINGINFO');
  for (const prefix of ['x:', 'y:', 'z:']) expect(info).toContain(prefix);
  for (const key of ['x:1', 'y:1', 'z:1']) {
    await client(gate.port).set(key, '1');
    expect(await one.reply(key)).toBe(told3(key));
  }
  one.close();
});

test('REDIRECT takes the id that CLIENT ID gives, so that RESP2 clients can cache, before and after a change', async () => {
  const [hears, reads] = [await RawClient.open(gate.port), await RawClient.open(gate.port)];
  const id = (await hears.ask('CLIENT ID')).slice(1, -2);
  expect(await reads.ask(`CLIENT TRACKING ON REDIRECT ${Number(id) + 5000}`)).toMatch(/^-ERR The client ID/);
  await hears.ask('SUBSCRIBE __redis__:invalidate');
  expect(await reads.ask(`CLIENT TRACKING ON REDIRECT ${id}`)).toBe('+OK\r\n');
  expect(await reads.ask('CLIENT GETREDIR')).toBe(`:${id}\r\n`);
  expect(await reads.ask('CLIENT TRACKINGINFO')).toContain(`$8\r\nredirect\r\n:${id}\r\n`);
  await reads.ask('GET b');
  await client(gate.port).set('b', '1');
  expect(await hears.reply('b')).toBe(told2('b'));
  await changePrimary();
  expect(await hears.reply('the flush')).toBe(flush2);
  await reads.ask('GET c');
  await client(gate.port).set('c', '1');
  // Which of the two connections comes first is open, so there may be two flushes.
  const next = await hears.reply('c');
  expect(next === flush2 ? await hears.reply('c') : next).toBe(told2('c'));
  for (const each of [hears, reads]) each.close();
});

test('REDIRECT goes to a client that has subscribed to nothing, whatever it does just then', async () => {
  const [hears, reads] = [await RawClient.open(gate.port), await RawClient.open(gate.port)];
  await hears.ask('HELLO 3');
  const id = (await hears.ask('CLIENT ID')).slice(1, -2);
  await client(gate.port).set('long', 'x'.repeat(8_000_000));
  hears.send('GET long');
  expect(await reads.ask(`CLIENT TRACKING ON REDIRECT ${id}`)).toBe('+OK\r\n');
  expect((await hears.reply('the long reply')).length).toBeGreaterThan(8_000_000);
  for (const key of ['d', 'e']) {
    await reads.ask(`GET ${key}`);
    await client(gate.port).set(key, '1');
    // After a change of primary: which of the two connections comes first is open, so there may be two flushes.
    let next = await hears.reply(key);
    while (key === 'e' && next === flush3) next = await hears.reply(key);
    expect(next).toBe(told3(key));
    if (key === 'd') {
      expect(await hears.ask('PING')).toBe('+PONG\r\n');
      await changePrimary();
      expect(await hears.reply('the flush')).toBe(flush3);
    }
  }
  expect(await reads.ask('CLIENT TRACKING OFF')).toBe('+OK\r\n');
  // A subscriber of RESP2 is told from its subscription on.
  const late = await RawClient.open(gate.port);
  const lateId = (await late.ask('CLIENT ID')).slice(1, -2);
  expect(await reads.ask(`CLIENT TRACKING ON REDIRECT ${lateId}`)).toBe('+OK\r\n');
  await late.ask('SUBSCRIBE __redis__:invalidate');
  await reads.ask('GET f');
  await client(gate.port).set('f', '1');
  expect(await late.reply('f')).toBe(told2('f'));
  // Who is told of another's changes no more has no connection of its own for that.
  const own = async () => (await gate.control.connections()).filter(({ use }) => use === 'own').length;
  const many = await Promise.all(Array.from({ length: 5 }, () => RawClient.open(gate.port)));
  const before = await own();
  for (const each of many) {
    const eachId = (await each.ask('CLIENT ID')).slice(1, -2);
    expect(await reads.ask(`CLIENT TRACKING ON REDIRECT ${eachId}`)).toBe('+OK\r\n');
  }
  expect(await own()).toBeLessThanOrEqual(before + 1);
  late.close();
  for (const each of [hears, reads]) each.close();
});

test('REDIRECT goes to whoever logged in, whatever it did before, where nobody is let in without', async () => {
  const redis = await startRedis();
  const admin = client(redis.port);
  await admin.call('ACL', 'SETUSER', 'app', 'on', '>word', '~*', '&*', '+@all');
  const members = [{ id: 'redis-1', address: '127.0.0.1', port: redis.port }];
  const { port } = await startGate({ members, memberCredentials: { username: 'app', password: 'word' } });
  await admin.call('ACL', 'SETUSER', 'default', 'off');
  const one = async (...before: string[]) => {
    const raw = await RawClient.open(port);
    for (const line of [...before, 'AUTH app word']) await raw.ask(line);
    return raw;
  };
  const ways: [before: string[], then: string[]][] = [
    [[], ['SUBSCRIBE __redis__:invalidate']],
    [['SUBSCRIBE __redis__:invalidate'], ['SUBSCRIBE __redis__:invalidate']],
    [[], ['MULTI', 'PING']],
    [[], ['BLPOP none 0.01']],
  ];
  for (const [before, then] of ways) {
    const [hears, reads] = [await one(...before), await one()];
    const id = (await hears.ask('CLIENT ID')).slice(1, -2);
    for (const line of then) await hears.ask(line);
    expect(await reads.ask(`CLIENT TRACKING ON REDIRECT ${id}`)).toBe('+OK\r\n');
    // What the gate asked in between is in nobody's transaction.
    if (then[0] === 'MULTI') expect(await hears.ask('EXEC')).toBe('*1\r\n+PONG\r\n');
    if (!then[0]?.startsWith('SUBSCRIBE')) await hears.ask('SUBSCRIBE __redis__:invalidate');
    await reads.ask('GET a');
    const writes = await one();
    await writes.ask('SET a 1');
    expect(await hears.reply('a')).toBe(told2('a'));
    for (const each of [hears, reads, writes]) each.close();
  }
});

test("HELLO's id is CLIENT ID's", async () => {
  for (const protocol of [2, 3]) {
    const one = await RawClient.open(gate.port);
    const id = (await one.ask('CLIENT ID')).slice(1, -2);
    expect(await one.ask(`HELLO ${protocol}`)).toContain(`$2\r\nid\r\n:${id}\r\n`);
    one.close();
  }
});
