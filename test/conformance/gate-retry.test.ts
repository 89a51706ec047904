import { afterAll, beforeAll, expect, test } from 'vitest';
import { mayRetry, retryRules } from '../../src/gate/commands/retry.ts';
import { splitInline } from '../../src/resp/arguments.ts';
import { writeRequest } from '../../src/resp/write.ts';
import { Random } from '../support/random.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, startRedis } from '../support/redis-processes.ts';
import { samples } from './gate-samples.ts';

/** What is sent again after a lost answer may have been executed: so each is executed twice here, and compared. */

let raw: RawClient;
beforeAll(async () => {
  raw = await RawClient.open((await startRedis()).port);
});
afterAll(cleanUp);

const keys = 's s2 n h l z z2 g set set2 hll hll2 nothing'.split(' ');
const filled = [
  'SET s hello',
  'SET s2 world EX 1000',
  'SET n 5',
  'HSET h f v',
  'RPUSH l a b c',
  'ZADD z 1 a 2 b',
  'ZADD z2 2 b 3 c',
  'GEOADD g 13.4 38.1 p 15.1 37.5 q',
  'SADD set a b',
  'SADD set2 b c',
  'PFADD hll a b',
  'PFADD hll2 c',
];
/** Forms of the commands of the list, and of some that look like them: `K` is any key, `N` a number, `V` a word. */
const forms = [
  'SET K V',
  'SET K V NX',
  'SET K V XX',
  'SET K V GET',
  'SET K V EX 1000',
  'SET K V XX GET KEEPTTL',
  'SET K V KEEPTTL',
  'SET K V PXAT 1',
  'SETEX K 1000 V',
  // What expires while it is compared would differ by that.
  'SETEX K 0 V',
  'PSETEX K 1000000 V',
  'MSET K V K V',
  'MSETNX K V K V',
  'HMSET K f V g V',
  'HSET K f V',
  'HSETNX K f V',
  'SETRANGE K N V',
  'APPEND K V',
  'PFMERGE K K K',
  'PFADD K V',
  'BITOP AND K K K',
  'BITOP NOT K K',
  'SETBIT K N 1',
  'SDIFFSTORE K K K',
  'SINTERSTORE K K K',
  'SUNIONSTORE K K K',
  'ZDIFFSTORE K 2 K K',
  'ZINTERSTORE K 2 K K WEIGHTS 2 N',
  'ZUNIONSTORE K 2 K K AGGREGATE MAX',
  'ZRANGESTORE K K 0 N',
  'GEOSEARCHSTORE K K FROMLONLAT 15 37 BYRADIUS 200 km ASC',
  'GEOADD K NX 1 2 V',
  'COPY K K',
  'COPY K K REPLACE',
  'COPY K K DB 1 REPLACE',
  'EXPIRE K 1000 NX',
  'DEL K',
  'SCRIPT LOAD V',
];

/** A key whose time is over goes when it is asked for, and until then DEBUG still sees it. */
const looks = [
  ...[0, 1].flatMap((db) => [
    `SELECT ${db}`,
    ...keys.flatMap((key) => [`EXISTS ${key}`, `DEBUG DIGEST-VALUE ${key}`, `TTL ${key}`]),
  ]),
  'SELECT 0',
];

async function state(): Promise<string> {
  // All at once: one after the other they take most of the test's time.
  raw.sendAll(looks);
  const said: string[] = [];
  for (const look of looks) {
    const reply = await raw.reply(look);
    if (look.startsWith('DEBUG')) said.push(reply);
    if (look.startsWith('TTL')) said.push(reply.replace(/:\d{2,}/, ':some'));
  }
  return said.join();
}

async function ask(request: Buffer): Promise<string> {
  await raw.write(request);
  return raw.reply(request.toString('latin1'));
}

/** What is wrong when this is executed twice; undefined when nothing is. */
async function twice(args: Buffer[]): Promise<string | undefined> {
  const request = writeRequest(args);
  const [first, after] = [await ask(request), await state()];
  const [second, afterBoth] = [await ask(request), await state()];
  if (first === second && after === afterBoth) return undefined;
  return `${args.join(' ')}: ${JSON.stringify(first)}, then ${JSON.stringify(second)}${after === afterBoth ? '' : ', and another state'}`;
}

function commandName(args: Buffer[]): string {
  const [name = '', sub = ''] = args.map((arg) => arg.toString().toLowerCase());
  return `${name}|${sub}` in retryRules ? `${name}|${sub}` : name;
}

test('what is sent again leaves the same state and gives the same answer when it is executed twice', async () => {
  const random = new Random(Number(process.env['HOLDFAST_SEED'] ?? 1));
  const pick = (from: readonly string[]) => from[random.below(from.length)] as string;
  const tried = new Set<string>();
  const wrong: string[] = [];
  const check = async (args: Buffer[]) => {
    if (!mayRetry(commandName(args), writeRequest(args))) return;
    tried.add(commandName(args));
    const complaint = await twice(args);
    if (complaint !== undefined) wrong.push(complaint);
  };
  for (let round = 0; round < 25; round++) {
    await raw.ask('FLUSHALL');
    for (const line of filled) await raw.ask(line);
    for (const form of forms) {
      const line = form.replace(/\b[KNV]\b/g, (kind) =>
        kind === 'K' ? pick(keys) : kind === 'N' ? String(random.below(9)) : pick(['x', 'yy', 'b']),
      );
      await check(splitInline(Buffer.from(line)) as Buffer[]);
    }
    await raw.write(writeRequest(['DUMP', pick(keys)]));
    const dump = Buffer.from((await raw.reply('DUMP')).replace(/^\$-?\d+\r\n/, '').slice(0, -2), 'latin1');
    await check([
      ...['RESTORE', pick(keys), '0'].map((word) => Buffer.from(word)),
      dump,
      Buffer.from('REPLACE'),
    ]);
  }
  await raw.ask('FLUSHALL');
  for (const line of samples) await check(splitInline(Buffer.from(line)) as Buffer[]);
  expect(wrong).toEqual([]);
  expect(Object.keys(retryRules).filter((name) => !tried.has(name))).toEqual([]);
});
