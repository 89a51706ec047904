import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';

/** Passwords and users that are changed at a member itself, past the gate. */

let server: Server;
let gate: GateProcess;

beforeAll(async () => {
  server = await startRedis();
  const direct = client(server.port);
  for (const user of ['ann', 'bob', 'carl'])
    await direct.call('ACL', 'SETUSER', user, 'on', `>${user}`, '~*', '&*', '+@all');
  gate = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: server.port }] });
});
afterAll(cleanUp);

async function loggedIn(user: string, password = user): Promise<RawClient> {
  const raw = await RawClient.open(gate.port);
  expect(await raw.ask(`AUTH ${user} ${password}`)).toBe('+OK\r\n');
  expect(await raw.ask('GET key')).toBe('$-1\r\n');
  return raw;
}

/** The ids of the connections to the server that clients of this user use, or may use: those have the gate's name. */
async function connectionsOf(user: string): Promise<string[]> {
  const lines = String(await client(server.port).call('CLIENT', 'LIST')).split('\n');
  return lines
    .filter((line) => line.includes(` user=${user} `) && line.includes(' name=holdfast-'))
    .map((line) => line.split(' ')[0] as string);
}

test("a user's new password, set at the member, ends what was opened with the old one; others stay", async () => {
  const [ann, bob, subscriber] = [await loggedIn('ann'), await loggedIn('bob'), await loggedIn('bob')];
  expect(await subscriber.ask('SUBSCRIBE news')).toMatch(/subscribe/);
  const annsBefore = await connectionsOf('ann');
  const direct = client(server.port);
  await direct.call('ACL', 'LOG', 'RESET');
  await direct.call('ACL', 'SETUSER', 'bob', 'resetpass', '>newer');
  const retired = async () => (await connectionsOf('bob')).length === 1;
  await waitFor(retired, { what: "bob's shared connection to end", withinMs: 60_000 });
  expect(await bob.ask('GET key')).toMatch(/^-WRONGPASS/);
  const newer = await loggedIn('bob', 'newer');
  expect(await ann.ask('GET key')).toBe('$-1\r\n');
  // Only what nobody used may be gone.
  const annsNow = await connectionsOf('ann');
  expect(annsBefore).toEqual(expect.arrayContaining(annsNow));
  expect(annsNow).toHaveLength(1);
  // As at the server itself, a subscription of before goes on; it is not asked about again and again.
  await direct.publish('news', 'more');
  expect(await subscriber.reply()).toMatch(/message/);
  const asked = (await connectionsOf('bob')).length;
  const since = performance.now();
  await waitFor(() => performance.now() - since > 4500, { what: 'two looks more', withinMs: 60_000 });
  expect((await connectionsOf('bob')).length).toBe(asked);
  const log = (await direct.call('ACL', 'LOG')) as unknown[][];
  expect(log.map((entry) => Number(entry[1])).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(2);
  for (const each of [ann, bob, subscriber, newer]) each.close();
});

test('a user that is switched off at the member is noticed, and what a user may do applies at once', async () => {
  const carl = await loggedIn('carl');
  const direct = client(server.port);
  await direct.call('ACL', 'SETUSER', 'carl', '-get');
  expect(await carl.ask('GET key')).toMatch(/^-NOPERM/);
  await direct.call('ACL', 'SETUSER', 'carl', 'off');
  const retired = async () => (await connectionsOf('carl')).length === 0;
  await waitFor(retired, { what: "carl's shared connection to end", withinMs: 60_000 });
  expect(await carl.ask('ECHO on')).toMatch(/^-WRONGPASS/);
  carl.close();
});

test('what a user has in flight who is deleted is told as what it is: its connection was lost, not the primary', async () => {
  const admin = client(gate.port);
  await admin.call('ACL', 'SETUSER', 'dora', 'on', '>dora', '~*', '&*', '+@all');
  const dora = await loggedIn('dora');
  dora.sendAll(['ACL DELUSER dora', 'SET a 1']);
  await dora.reply('the deletion');
  expect(await dora.reply('the write')).toMatch(
    /^-UNCERTAIN the connection to the primary was lost before it answered; this write may or may not/,
  );
  expect(await admin.ping()).toBe('PONG');
});

test('a user that is deleted hears nothing more of what it waits for, whatever its connection is to the server', async () => {
  const route = await startRedis(['--requirepass', 'cart-secret']);
  const login = { username: 'default', password: 'cart-secret' };
  const guarded = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: server.port }],
    routes: [
      {
        ...{ id: 'carts', prefixes: ['cart:'], memberCredentials: login, clientCredentials: login },
        members: [{ id: 'carts-1', address: '127.0.0.1', port: route.port }],
      },
    ],
  });
  const direct = client(server.port);
  const carts = client(route.port, { password: 'cart-secret' });
  for (const user of ['erin', 'finn'])
    await direct.call('ACL', 'SETUSER', user, 'on', `>${user}`, '~*', '&*', '+@all');
  const here = async (user: string, ...requests: string[]) => {
    const raw = await RawClient.open(guarded.port);
    expect(await raw.ask(`AUTH ${user} ${user}`)).toBe('+OK\r\n');
    for (const request of requests) expect(await raw.ask(request)).not.toMatch(/^-/);
    return raw;
  };
  const blocked = await here('erin', 'GET cart:1');
  blocked.send('BLPOP cart:queue 0');
  const other = await here('finn', 'GET cart:1');
  other.send('BLPOP cart:others 0');
  const idle = await here('erin', 'GET cart:1');
  const inMulti = await here('erin', 'MULTI', 'SET cart:2 1');
  const blockedHome = await here('erin');
  blockedHome.send('BLPOP queue 0');
  const subscriber = await here('erin', 'SUBSCRIBE news');
  const inMultiHome = await here('erin', 'MULTI', 'SET two 1');
  const waits = async () => /blocked_clients:2/.test(await carts.info('clients'));
  await waitFor(waits, { what: 'both to wait at the route', withinMs: 10_000 });
  await direct.call('ACL', 'DELUSER', 'erin');
  const wrong = /^-WRONGPASS /;
  expect(await blocked.reply('the one that waits at the route')).toMatch(wrong);
  expect(await blocked.reply('its end')).toBe('(closed)');
  expect(await subscriber.reply('the subscriber')).toMatch(wrong);
  expect(await blockedHome.reply('the one that waits at the catch-all')).toMatch(/^-(WRONGPASS|UNCERTAIN) /);
  expect(await idle.ask('GET cart:1')).toMatch(wrong);
  for (const each of [inMulti, inMultiHome]) expect(await each.ask('EXEC')).toMatch(wrong);
  for (const each of [subscriber, idle, inMulti, inMultiHome])
    expect(await each.reply('the end')).toBe('(closed)');
  await carts.lpush('cart:queue', 'secret');
  expect(await carts.llen('cart:queue')).toBe(1);
  // Nobody else hears of it.
  await carts.lpush('cart:others', 'mine');
  expect(await other.reply()).toContain('mine');
  other.send('BLPOP cart:others 0');
  // Told through the gate: at once.
  const admin = client(guarded.port);
  await admin.call('ACL', 'SETUSER', 'finn', 'off');
  expect(await other.reply('the one that is switched off', 1500)).toMatch(wrong);
});
