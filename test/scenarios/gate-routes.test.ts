import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { keyPlacesOf, keysIn } from '../../src/redis/key-places.ts';
import { AdminLink } from '../support/admin-link.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { findMistaken } from '../support/mistaken-connections.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, kill9, type Server, startRedis } from '../support/redis-processes.ts';

/** One gate before several servers: each key at its own, and every rule of the gate as it is without routes. */

const holdMs = 400;
let home: Server;
let carts: Server;
let eu: Server;
let short: Server;
let gate: GateProcess;
let links: AdminLink[];

const at = ({ port }: Server) => ({ id: `redis-${port}`, address: '127.0.0.1', port });
const to = (id: string, server: Server, prefixes: string[], more = {}) => ({
  ...{ id, prefixes, members: [at(server)] },
  ...more,
});

beforeAll(async () => {
  [home, carts, eu, short] = await Promise.all([startRedis(), startRedis(), startRedis(), startRedis()]);
  links = [home, carts, eu, short].map(({ port }) => new AdminLink(port));
  gate = await startGate({
    holdMs,
    members: [at(home)],
    routes: [
      to('carts', carts, ['cart:']),
      to('eu', eu, ['cart:eu:', 'eu:']),
      to('short', short, ['s:'], { removePrefix: true }),
    ],
  });
});
afterAll(cleanUp);

const keysAt = async (server: Server) => (await client(server.port).keys('*')).toSorted();

test('every key is at the server of the longest prefix that it begins with', async () => {
  const redis = client(gate.port);
  const keys = ['x', 'cart:1', 'cart:eu:1', 'eu:1', 'cart', 's:1'];
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.set(key, `value of ${key}`).get(key);
  const replies = await pipeline.exec();
  expect(replies).toEqual(
    keys.flatMap((key) => [
      [null, 'OK'],
      [null, `value of ${key}`],
    ]),
  );
  expect(await Promise.all([home, carts, eu, short].map(keysAt))).toEqual([
    ['cart', 'x'],
    ['cart:1'],
    ['cart:eu:1', 'eu:1'],
    ['1'],
  ]);
  expect(await redis.keys('cart:1*')).toEqual(['cart:1']);
  expect(await redis.scan(0, 'MATCH', 'eu:*')).toEqual(['0', ['eu:1']]);
  expect(await redis.dbsize()).toBe(2);
  await redis.flushall();
  expect(await keysAt(home)).toEqual([]);
  expect(await keysAt(carts)).toEqual(['cart:1']);
  // A line of words, as somebody types it.
  const raw = await RawClient.open(gate.port);
  await raw.write('GET cart:1\r\nGET eu:1\r\n');
  expect(await raw.reply()).toBe('$15\r\nvalue of cart:1\r\n');
  expect(await raw.reply()).toBe('$13\r\nvalue of eu:1\r\n');
  raw.close();
  const reading = client(gate.replicaPort);
  expect(await reading.get('cart:1')).toBe('value of cart:1');
  expect(await reading.mget('eu:1', 'cart:1')).toEqual(['value of eu:1', 'value of cart:1']);
  await expect(reading.set('cart:1', 'x')).rejects.toThrow(/^READONLY /);
  await expect(reading.del('eu:1', 'cart:1')).rejects.toThrow(/^READONLY /);
  const { routes } = await gate.control.status();
  expect(routes['carts']).toMatchObject({ state: 'open', held: 0 });
  expect(routes['carts']?.requests).toBeGreaterThanOrEqual(3);
});

test('keys of several routes: in parts where each stands for itself, and else refused', async () => {
  const redis = client(gate.port);
  expect(await redis.mset('x', '0', 'cart:a', '1', 's:a', '2', 'cart:b', '3')).toBe('OK');
  expect(await redis.mget('cart:b', 'x', 'none', 's:a', 'cart:a')).toEqual(['3', '0', null, '2', '1']);
  expect(await redis.exists('x', 'cart:a', 'eu:none', 'cart:b', 'cart:b')).toBe(4);
  expect(await client(short.port).get('a')).toBe('2');
  await expect(redis.rename('x', 'cart:c')).rejects.toThrow(/^CROSSSLOT /);
  await expect(redis.msetnx('x', '1', 'cart:c', '2')).rejects.toThrow(/^CROSSSLOT /);
  await expect(redis.blpop('l', 'cart:l', 1)).rejects.toThrow(/^CROSSSLOT /);
  await expect(redis.eval('return 1', 2, 'x', 'eu:1')).rejects.toThrow(/^CROSSSLOT /);
  expect(await redis.eval('return redis.call("get", KEYS[1])', 1, 'cart:a')).toBe('1');
  expect(await redis.del('x', 'cart:a', 's:a', 'cart:b', 'none')).toBe(4);
  await redis.hset('cart:h', 'f', '1');
  await expect(redis.mset('x', '1', 'cart:1', '2')).resolves.toBe('OK');
  // One part fails at its server, after another was done.
  await client(carts.port).call('CONFIG', 'SET', 'maxmemory', '1');
  await expect(redis.mset('x', '2', 'cart:1', '3')).rejects.toThrow(/^UNCERTAIN a part .*OOM /);
  await client(carts.port).call('CONFIG', 'SET', 'maxmemory', '0');
  expect(await redis.get('x')).toBe('2');
  const raw = await RawClient.open(gate.port);
  await raw.ask('HELLO 3');
  expect(await raw.ask('MGET cart:none x')).toBe('*2\r\n_\r\n$1\r\n2\r\n');
  raw.close();
});

test('a transaction is where its first key is, and takes keys of no other route', async () => {
  const raw = await RawClient.open(gate.port);
  expect(await raw.ask('MULTI')).toBe('+OK\r\n');
  expect(await raw.ask('SET cart:t 1')).toBe('+QUEUED\r\n');
  expect(await raw.ask('INCR cart:t')).toBe('+QUEUED\r\n');
  expect(await raw.ask('EXEC')).toBe('*2\r\n+OK\r\n:2\r\n');
  expect(await client(carts.port).get('cart:t')).toBe('2');
  await raw.ask('MULTI');
  await raw.ask('SET cart:t 5');
  expect(await raw.ask('SET x 5')).toMatch(/^-ERR a key of another route/);
  expect(await raw.ask('FLUSHALL')).toMatch(/^-ERR FLUSHALL is not possible here/);
  expect(await raw.ask('EXEC')).toMatch(/^-EXECABORT /);
  expect(await client(carts.port).get('cart:t')).toBe('2');
  // All in one write, twice, with something of another route between.
  const words = ['MULTI', 'SET eu:t 1', 'EXEC', 'SET x 7', 'MULTI', 'APPEND s:t a', 'EXEC', 'GET x'];
  for (const line of words) raw.send(line);
  const replies: string[] = [];
  for (const _line of words) replies.push(await raw.reply());
  expect(replies).toEqual([
    ...['+OK\r\n', '+QUEUED\r\n', '*1\r\n+OK\r\n', '+OK\r\n'],
    ...['+OK\r\n', '+QUEUED\r\n', '*1\r\n:1\r\n', '$1\r\n7\r\n'],
  ]);
  // Watched keys hold it too, and are watched where they are.
  expect(await raw.ask('WATCH cart:t')).toBe('+OK\r\n');
  expect(await raw.ask('GET x')).toMatch(/^-ERR a key of another route/);
  expect(await raw.ask('SELECT 1')).toMatch(/^-ERR SELECT is not possible here/);
  await client(carts.port).set('cart:t', 'changed');
  expect(await raw.ask('MULTI')).toBe('+OK\r\n');
  expect(await raw.ask('SET cart:t 6')).toBe('+QUEUED\r\n');
  expect(await raw.ask('EXEC')).toBe('*-1\r\n');
  expect(await raw.ask('GET x')).toBe('$1\r\n7\r\n');
  expect(await findMistaken(gate.control, links)).toBeUndefined();
  raw.close();
});

test('blocking, subscribing, and the database', async () => {
  const [waits, pushes] = [client(gate.port), client(gate.port)];
  const popped = waits.blpop('cart:queue', 10);
  await waitFor(async () => (await client(carts.port).info('clients')).includes('blocked_clients:1'), {
    what: 'the BLPOP to wait at its route',
    withinMs: 60_000,
  });
  await pushes.rpush('cart:queue', 'first');
  expect(await popped).toEqual(['cart:queue', 'first']);
  await expect(waits.blpop('s:queue', 1)).rejects.toThrow(/removePrefix/);

  const raw = await RawClient.open(gate.port);
  await raw.ask('HELLO 3');
  expect(await raw.ask('SUBSCRIBE cart:news')).toMatch(/^>3\r\n/);
  expect(await raw.ask('GET x')).toBe('$1\r\n7\r\n');
  expect(await raw.ask('GET cart:t')).toMatch(/^-ERR a key of another route/);
  expect(await pushes.publish('cart:news', 'hello')).toBe(1);
  expect(await raw.reply()).toMatch(/hello/);
  await raw.ask('UNSUBSCRIBE cart:news');
  expect(await raw.ask('GET cart:t')).toBe('$7\r\nchanged\r\n');
  expect(await raw.ask('SELECT 3')).toBe('+OK\r\n');
  expect(await raw.ask('SET cart:three 1')).toBe('+OK\r\n');
  expect(await client(carts.port, { db: 3 }).get('cart:three')).toBe('1');
  expect(await raw.ask('RESET')).toBe('+RESET\r\n');
  expect(await raw.ask('GET cart:three')).toBe('$-1\r\n');
  expect(await findMistaken(gate.control, links)).toBeUndefined();
  raw.close();
});

test('a long request goes where its key belongs', async () => {
  const redis = client(gate.port);
  const long = 'v'.repeat(3 * 1024 * 1024);
  expect(await redis.set('cart:long', long)).toBe('OK');
  expect(await redis.mset('cart:long2', long, 'x', '8')).toBe('OK');
  expect(await redis.append('s:long', long)).toBe(long.length);
  expect(await client(carts.port).strlen('cart:long')).toBe(long.length);
  expect(await client(carts.port).strlen('cart:long2')).toBe(long.length);
  expect(await client(short.port).strlen('long')).toBe(long.length);
  expect(await redis.get('x')).toBe('8');
});

test("a route's users are those that are logged in; another user stands in only for who is let in", async () => {
  const vault = await startRedis(['--requirepass', 'vault-secret']);
  const front = await startRedis(['--requirepass', 'front-secret']);
  const own = await startRedis(['--requirepass', 'front-secret']);
  const admin = client(front.port, { password: 'front-secret' });
  await admin.call('ACL', 'SETUSER', 'app', 'on', '>app-secret', '~*', '+@all');
  const login = (password: string) => ({ username: 'default', password });
  const guarded = await startGate({
    holdMs,
    members: [at(front)],
    memberCredentials: login('front-secret'),
    routes: [
      to('vault', vault, ['v:'], {
        memberCredentials: login('vault-secret'),
        clientCredentials: login('vault-secret'),
      }),
      to('own', own, ['o:'], { memberCredentials: login('front-secret') }),
    ],
  });
  const raw = await RawClient.open(guarded.port);
  for (const request of ['GET v:1', 'GET o:1', 'GET x', 'MGET v:1 o:1'])
    expect(await raw.ask(request)).toMatch(/^-NOAUTH /);
  expect(await raw.ask('AUTH app app-secret')).toBe('+OK\r\n');
  expect(await raw.ask('SET v:1 secret')).toBe('+OK\r\n');
  expect(await raw.ask('SET x 1')).toBe('+OK\r\n');
  expect(await raw.ask('MGET x v:1')).toBe('*2\r\n$1\r\n1\r\n$6\r\nsecret\r\n');
  // The other route has no such user: it says so, and the client goes on elsewhere.
  expect(await raw.ask('GET o:1')).toMatch(/^-WRONGPASS /);
  expect(await raw.ask('GET v:1')).toBe('$6\r\nsecret\r\n');
  expect(await client(vault.port, { password: 'vault-secret' }).get('v:1')).toBe('secret');
  // Told through the gate: at once, though this client asks for nothing but its route.
  await admin.call('ACL', 'SETUSER', 'app', 'resetpass', '>another');
  const through = client(guarded.port, { password: 'front-secret' });
  await through.call('ACL', 'SETUSER', 'app', 'resetpass', '>third');
  expect(await raw.ask('GET v:1')).toMatch(/^-WRONGPASS /);
  raw.close();
  expect(await through.get('v:1')).toBe('secret');
  expect(await through.set('o:1', '1')).toBe('OK');
});

test('a server that is gone holds up those who ask for its keys, and nobody else', async () => {
  const [redis, other] = [client(gate.port), client(gate.port)];
  await redis.set('eu:1', '1');
  await kill9(eu.process);
  await expect(redis.get('eu:1')).rejects.toThrow(/^NOPRIMARY /);
  const waits = redis.incr('eu:n').catch((error: Error) => error.message);
  expect(await other.get('x')).toBe('8');
  expect(await waits).toMatch(/^NOPRIMARY /);
  expect((await gate.control.status()).state).toBe('open');
  expect((await gate.control.status()).routes['eu']).toMatchObject({ state: 'holding' });
  await startRedis([], eu);
  await waitFor(async () => (await redis.set('eu:1', '2').catch(() => '')) === 'OK', {
    what: 'the route to be open again',
    withinMs: 60_000,
  });
  expect(await redis.get('eu:1')).toBe('2');
});

test('reads stay here where there is a copy, and only what may write goes to the owner', async () => {
  const owner = await startRedis();
  const copying = await startGate({
    members: [at(home)],
    routes: [to('owner', owner, ['e:'], { readsHere: true })],
  });
  const redis = client(copying.port);
  await client(home.port).set('e:1', 'the copy');
  expect(await redis.set('e:1', 'new')).toBe('OK');
  expect(await client(owner.port).get('e:1')).toBe('new');
  expect(await redis.get('e:1')).toBe('the copy');
  expect(await redis.getset('e:1', 'newer')).toBe('new');
  const block = await redis.multi().get('e:1').exec();
  expect(block).toEqual([[null, 'the copy']]);
  const changing = await redis.multi().append('e:1', '!').get('e:1').exec();
  expect(changing).toEqual([
    [null, 6],
    [null, 'newer!'],
  ]);
});

test("keys are found as the server finds them, by the server's own table", async () => {
  const redis = client(home.port);
  const table = (await redis.call('COMMAND')) as unknown[][];
  const places = new Map(table.map((entry) => [String(entry[0]), keyPlacesOf(entry)]));
  for (const request of samples) {
    const args = request.split(' ');
    const found = keysIn(
      places.get((args[0] as string).toLowerCase()) ?? 'unknown',
      args.map((arg) => Buffer.from(arg)),
    );
    const said = await redis.call('COMMAND', 'GETKEYS', ...args);
    expect(
      found?.map((index) => args[index]),
      request,
    ).toEqual(said);
  }
});

const samples = [
  ...[
    'GET a',
    'MSET a 1 b 2',
    'DEL a b c',
    'RENAME a b',
    'BITOP AND d a b',
    'PFCOUNT a b',
    'LMPOP 2 a b LEFT',
  ],
  ...['BLMPOP 1 2 a b LEFT', 'ZUNIONSTORE d 2 a b WEIGHTS 1 2', 'ZINTER 2 a b', 'SINTERCARD 2 a b LIMIT 1'],
  ...[
    'XREAD COUNT 1 STREAMS a b 0 0',
    'XREADGROUP GROUP streams c STREAMS a >',
    'EVAL s 2 a b c',
    'FCALL f 1 a b',
  ],
  ...[
    'BLPOP a b 0',
    'BLMOVE a b LEFT RIGHT 0',
    'GEORADIUS a 1 1 1 m STORE d',
    'GEOSEARCHSTORE d a FROMMEMBER m BYBOX 1 1 m',
  ],
  ...[
    'COPY a b DB 1',
    'SMOVE a b m',
    'LCS a b',
    'SORT a STORE d',
    'ZADD a 1 m',
    'HSET a f v',
    'OBJECT ENCODING a',
  ].slice(0, 6),
];

test('faults that were made on purpose delay requests, or answer them, in their order, and are counted', async () => {
  const faults = [
    { commands: ['get'], percentage: 100, delayMs: 60, error: null },
    { commands: ['set'], percentage: 100, delayMs: 0, error: 'ERR made on purpose' },
  ];
  const faulty = await startGate({
    holdMs,
    members: [at(home)],
    routes: [to('carts', carts, ['cart:'], { faults })],
  });
  const redis = client(faulty.port);
  await redis.set('x', 'here');
  await redis.mset('cart:1', 'there', 'cart:2', 'too');
  const begunMs = performance.now();
  const replies = await redis.pipeline().get('cart:1').set('cart:1', 'other').get('x').incr('cart:n').exec();
  expect(performance.now() - begunMs).toBeGreaterThan(50);
  expect(replies?.map(([error, reply]) => error?.message ?? reply)).toEqual([
    'there',
    'ERR made on purpose',
    'here',
    expect.any(Number),
  ]);
  expect(await client(carts.port).get('cart:1')).toBe('there');
  const raw = await RawClient.open(faulty.port);
  await raw.ask('MULTI');
  expect(await raw.ask('SET cart:1 x')).toBe('-ERR made on purpose\r\n');
  expect(await raw.ask('EXEC')).toMatch(/^-EXECABORT /);
  raw.close();
  const { routes } = await faulty.control.status();
  expect(routes['carts']?.faults).toEqual({ delayed: 1, failed: 2 });
});
