import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { startGate } from '../support/gate-process.ts';
import { untilKnownToWait } from '../support/known-to-wait.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, kill9, startRedis } from '../support/redis-processes.ts';
import { wayWithoutAnswer } from '../support/way-without-answer.ts';

/** Blocking commands that take something: what was executed is not executed again, and what only waited goes on waiting. */

afterEach(cleanUp);

const uncertain = /^-UNCERTAIN the connection to the primary was lost before it answered/;
const memberAt = (port: number) => ({ id: `redis-${port}`, address: '127.0.0.1', port });

/** Two members, the second a replica, and a gate that is told by hand who is primary. */
async function pair(durability: 'async' | 'replicated' = 'async') {
  const first = await startRedis();
  const second = await startRedis(['--replicaof', `127.0.0.1 ${first.port}`]);
  const follows = async () =>
    (await client(second.port).info('replication')).includes('master_link_status:up');
  await waitFor(follows, { what: 'the replica', withinMs: 60_000 });
  const members = [memberAt(first.port), memberAt(second.port)];
  const gate = await startGate({ members, holdMs: 20_000, durability });
  return { first, second, gate };
}

test('what took something, and whose answer was lost, is UNCERTAIN and takes nothing more', async () => {
  const server = await startRedis();
  const direct = client(server.port);
  await direct.rpush('jobs', 'a', 'b', 'c', 'd', 'e', 'f');
  await direct.zadd('scores', 1, 'a', 2, 'b');
  await direct.xgroup('CREATE', 'stream', 'group', '$', 'MKSTREAM');
  for (const id of ['1-1', '2-1']) await direct.xadd('stream', id, 'f', 'v');
  const lines = [
    'BLMOVE jobs done:1 LEFT RIGHT 0',
    'BRPOPLPUSH jobs done:2 0',
    'BLPOP jobs done:3 0',
    'BZPOPMIN scores done:4 0',
    'BLMPOP 0 2 jobs done:5 LEFT COUNT 1',
    'XREADGROUP GROUP group done:6 COUNT 1 BLOCK 0 STREAMS stream >',
  ];
  const way = await wayWithoutAnswer(
    server,
    lines.map((line) => (/done:\d/.exec(line) as RegExpExecArray)[0]),
  );
  const gate = await startGate({ members: [memberAt(way.port)], holdMs: 10_000 });
  const asking = await RawClient.open(gate.port);
  for (const line of lines) {
    expect(`${line} ${await asking.ask(line)}`).toMatch(new RegExp(uncertain.source.slice(1)));
    expect(await asking.ask('PING')).toBe('+PONG\r\n');
  }
  expect(way.seen.toSorted()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `done:${n}`));
  expect(await direct.llen('jobs')).toBe(2);
  expect(await direct.zcard('scores')).toBe(1);
  expect(await direct.xpending('stream', 'group')).toMatchObject([1, '1-1', '1-1', [['done:6', '1']]]);
  asking.close();
});

test('what reads only is asked again, though its answer was lost', async () => {
  const server = await startRedis();
  await client(server.port).xadd('stream', '1-1', 'f', 'v');
  const way = await wayWithoutAnswer(server, ['once-only'], 1);
  const gate = await startGate({ members: [memberAt(way.port)], holdMs: 10_000 });
  const asking = await RawClient.open(gate.port);
  expect(await asking.ask('XREAD BLOCK 5000 STREAMS stream once-only 0 0')).toContain('1-1');
  expect(way.seen).toEqual(['once-only', 'once-only']);
  asking.close();
});

test('what waits when its primary dies waits on at the next one, and gets what is pushed there', async () => {
  const { first, second, gate } = await pair();
  const blocked = await RawClient.open(gate.port);
  blocked.send('BLMOVE jobs mine LEFT RIGHT 0');
  await untilKnownToWait(gate, first);
  await kill9(first.process);
  await client(second.port).call('REPLICAOF', 'NO', 'ONE');
  await gate.control.switch({ address: '127.0.0.1', port: second.port });
  await untilKnownToWait(gate, second);
  await client(second.port).rpush('jobs', 'one', 'two');
  expect(await blocked.reply('the job')).toBe('$3\r\none\r\n');
  expect(await client(second.port).lrange('mine', 0, -1)).toEqual(['one']);
  blocked.close();
});

test('what waited at a server that was restarted is UNCERTAIN: its files may know more than it said', async () => {
  const server = await startRedis();
  const gate = await startGate({ members: [memberAt(server.port)], holdMs: 20_000 });
  const blocked = await RawClient.open(gate.port);
  blocked.send('BLPOP jobs 0');
  await untilKnownToWait(gate, server);
  await kill9(server.process);
  await startRedis([], server);
  expect(await blocked.reply('the answer')).toMatch(uncertain);
  expect(await blocked.ask('PING')).toBe('+PONG\r\n');
  blocked.close();
});

test.each(['async', 'replicated'] as const)(
  'a planned change is seen neither by who waits, nor by what it has sent behind that (%s)',
  async (durability) => {
    const { first, second, gate } = await pair(durability);
    const blocked = await RawClient.open(gate.port);
    for (const line of ['BLPOP jobs 0', 'INCR behind', 'GET behind']) blocked.send(line);
    await untilKnownToWait(gate, first);
    // A write that has not been sent does not keep the change from coming.
    const next = { address: '127.0.0.1', port: second.port };
    expect(await gate.control.hold({ reason: 'switchover', maxMs: 10_000, next })).toEqual({ drained: true });
    await client(second.port).call('REPLICAOF', 'NO', 'ONE');
    await client(first.port).call('REPLICAOF', '127.0.0.1', second.port);
    await gate.control.switch({ address: '127.0.0.1', port: second.port });
    await untilKnownToWait(gate, second);
    await client(second.port).rpush('jobs', 'one');
    expect(await blocked.reply('the job')).toBe('*2\r\n$4\r\njobs\r\n$3\r\none\r\n');
    expect(await blocked.reply('INCR')).toBe(':1\r\n');
    expect(await blocked.reply('GET')).toBe('$1\r\n1\r\n');
    blocked.close();
  },
);

test('what is needed at the next primary is opened while writes wait, and closed when nothing comes of it', async () => {
  const { first, second, gate } = await pair();
  const user = await RawClient.open(gate.port);
  expect(await user.ask('SET key old')).toBe('+OK\r\n');
  const opened = async () => /name=holdfast-/.test(String(await client(second.port).call('CLIENT', 'LIST')));
  expect(await opened()).toBe(false);
  const next = { address: '127.0.0.1', port: second.port };
  await gate.control.hold({ reason: 'switchover', maxMs: 20_000, next });
  await waitFor(opened, { what: 'a connection to the next primary', withinMs: 60_000 });
  expect(await user.ask('GET key')).toBe('$3\r\nold\r\n');
  await gate.control.release();
  await waitFor(async () => !(await opened()), { what: 'it to be closed', withinMs: 60_000 });
  expect(await user.ask('SET key new')).toBe('+OK\r\n');
  expect(await client(first.port).get('key')).toBe('new');
  user.close();
});

test('scripts that a planned change finds at the old primary are executed once at the new one, in a transaction too', async () => {
  const { first, second, gate } = await pair();
  const [plain, block] = [await RawClient.open(gate.port), await RawClient.open(gate.port)];
  const old = client(first.port);
  await old.call('CLIENT', 'PAUSE', '20000', 'WRITE');
  const script = (key: string) => `EVAL "return redis.call('INCR', KEYS[1])" 1 ${key}`;
  plain.send(script('alone'));
  for (const line of ['MULTI', script('in-block'), script('in-block'), 'EXEC']) block.send(line);
  const stopped = async () => String(await old.call('CLIENT', 'LIST')).match(/ flags=\w*b/g)?.length === 2;
  await waitFor(stopped, { what: 'both to be stopped by the pause', withinMs: 60_000 });
  const held = gate.control.hold({ reason: 'switchover', maxMs: 20_000 });
  await client(second.port).call('REPLICAOF', 'NO', 'ONE');
  await old.call('REPLICAOF', '127.0.0.1', second.port);
  await old.call('CLIENT', 'UNPAUSE');
  await held;
  await gate.control.switch({ address: '127.0.0.1', port: second.port });
  expect(await plain.reply('the script')).toBe(':1\r\n');
  for (const reply of ['+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', '*2\r\n:1\r\n:2\r\n'])
    expect(await block.reply('the block')).toBe(reply);
  for (const each of [plain, block]) each.close();
});
