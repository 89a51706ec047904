import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { chooseSeed, Random } from '../support/random.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';

/** A scan leaves nothing out, though the server changes in the middle: every process hashes with a seed of its own. */

const seed = chooseSeed();
const again = `again: HOLDFAST_SEED=${seed}`;
const elements = 5000;
let servers: Server[];
let gate: GateProcess;

beforeAll(async () => {
  const first = await startRedis();
  const replicas = await Promise.all(
    [1, 2].map(() => startRedis(['--replicaof', '127.0.0.1', `${first.port}`, '--replica-read-only', 'no'])),
  );
  servers = [first, ...replicas];
  const fill = client(first.port);
  const names = Array.from({ length: elements }, (_, index) => `n${index}`);
  await fill.mset(Object.fromEntries(names.map((name) => [name, '1'])));
  await fill.hset('hash', Object.fromEntries(names.map((name) => [name, '1'])));
  await fill.sadd('set', ...names);
  await fill.zadd('sorted', ...names.flatMap((name) => ['1', name]));
  await fill.wait(2, 10_000);
  gate = await startGate({
    members: servers.map(({ port }, index) => ({ id: `redis-${index + 1}`, address: '127.0.0.1', port })),
    replicaFallback: 'error',
  });
});
afterAll(cleanUp);

const scans = [
  { command: ['SCAN'], width: 1, extra: 3 },
  { command: ['HSCAN', 'hash'], width: 2, extra: 0 },
  { command: ['SSCAN', 'set'], width: 1, extra: 0 },
  { command: ['ZSCAN', 'sorted'], width: 2, extra: 0 },
];

/** Everything that one iteration finds; `between` is called between two requests. */
async function iterate(
  call: (...words: string[]) => Promise<unknown>,
  { command, width }: (typeof scans)[number],
  between: (round: number) => Promise<void>,
): Promise<Set<string>> {
  const found = new Set<string>();
  let cursor = '0';
  for (let round = 0; round < 1000; round++) {
    const [verb = '', ...key] = command;
    const [next, items] = (await call(verb, ...key, cursor, 'COUNT', '200')) as [string, string[]];
    for (let index = 0; index < items.length; index += width) found.add(items[index] as string);
    expect(Number(next)).toBeLessThan(2 ** 53);
    cursor = next;
    if (cursor === '0') return found;
    await between(round);
  }
  throw new Error(`${command.join(' ')} does not end (${again})`);
}

async function inMulti(redis: Redis, words: string[]): Promise<unknown> {
  const answers = await redis
    .multi()
    .call(...(words as [string]))
    .exec();
  return answers?.[0]?.[1];
}

/** Another of the three is primary; the others follow it. */
async function anotherPrimary(now: number): Promise<number> {
  const next = (now + 1) % servers.length;
  const { port } = servers[next] as Server;
  await client(port).call('REPLICAOF', 'NO', 'ONE');
  for (const [index, each] of servers.entries())
    if (index !== next) await client(each.port).call('REPLICAOF', '127.0.0.1', `${port}`);
  await gate.control.switch({ address: '127.0.0.1', port });
  for (const [index, each] of servers.entries()) {
    const follows = async () =>
      (await client(each.port).info('replication')).includes('master_link_status:up');
    if (index !== next) await waitFor(follows, { what: 'a replica', withinMs: 60_000 });
  }
  return next;
}

test('SCAN, HSCAN, SSCAN and ZSCAN find everything through changes of primary', async () => {
  const random = new Random(seed);
  const redis = client(gate.port);
  let primary = 0;
  for (const scan of scans) {
    const changes = new Set([random.below(12), 12 + random.below(12)]);
    const found = await iterate(
      (...words) => redis.call(...(words as [string])),
      scan,
      async (round) => {
        if (changes.has(round)) primary = await anotherPrimary(primary);
      },
    );
    expect(found.size, `${scan.command.join(' ')} (${again})`).toBe(elements + scan.extra);
  }
});

test('the same in transactions, whose answers have cursors too', async () => {
  const redis = client(gate.port);
  const { primary: now } = await gate.control.status();
  let primary = servers.findIndex(({ port }) => port === now?.port);
  const found = await iterate(
    (...words) => inMulti(redis, words),
    scans[0] as (typeof scans)[number],
    async (round) => {
      if (round === 10) primary = await anotherPrimary(primary);
    },
  );
  expect(found.size).toBe(elements + 3);
});

test('at the read-only port an iteration in transactions ends, however many there are and whatever else goes on', async () => {
  const noise = Array.from({ length: 3 }, () => client(gate.replicaPort));
  let over = false;
  const noisy = noise.map(async (redis) => {
    while (!over) await redis.get('n1');
  });
  const scanAlone = async () => {
    const redis = client(gate.replicaPort);
    let calls = 0;
    const counted = (...words: string[]) => {
      calls++;
      return inMulti(redis, words);
    };
    const found = await iterate(
      counted,
      scans[0] as (typeof scans)[number],
      async () => void (await redis.get('n2')),
    );
    expect(found.size).toBe(elements + 3);
    // It began once.
    expect(calls).toBeLessThan(40);
  };
  try {
    await Promise.all(Array.from({ length: 6 }, scanAlone));
  } finally {
    over = true;
    await Promise.all(noisy);
  }
});

test('at the read-only port an iteration stays with its replica, and starts over at another when that is lost', async () => {
  const redis = client(gate.replicaPort);
  const busy = Array.from({ length: 4 }, () => client(gate.replicaPort));
  for (const scan of scans) {
    const found = await iterate(
      (...words) => redis.call(...(words as [string])),
      scan,
      async (round) => {
        for (const each of busy) void each.get('n1').catch(() => {});
        if (round % 9 !== 5) return;
        const { port } = servers[round % servers.length] as Server;
        await client(port).call('CLIENT', 'KILL', 'TYPE', 'normal');
      },
    );
    expect(found.size, scan.command.join(' ')).toBe(elements + scan.extra);
  }
});
