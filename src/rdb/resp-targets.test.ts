/** `resp --for`: no command that the server lacks, and nothing left out in silence. */
import { expect, test } from 'vitest';
import {
  inPieces,
  lengthBytes,
  lengthPrefixed,
  makeRdb,
  memorySink,
  rdbFixture,
} from '../../test/support/rdb-files.ts';
import type { Unloadable } from './copy.ts';
import { RespWriter } from './resp.ts';
import { Scanner } from './scanner.ts';
import { targetOfServer } from './target.ts';

async function commandsFor(bytes: Buffer, server?: string) {
  const { sink, bytes: written } = memorySink();
  const told: Unloadable[] = [];
  const target = server === undefined ? {} : { target: targetOfServer(server) };
  const writer = new RespWriter(sink, {
    ...{ replace: false, test: () => true, onUnloadable: (each: Unloadable) => told.push(each) },
    ...target,
  });
  const scanner = new Scanner(writer);
  for (const piece of inPieces(bytes, 50)) scanner.push(piece);
  scanner.finish();
  const text = (await written()).toString('latin1');
  const commands = text
    .split(/(?:^|(?<=\r\n))\*\d+\r\n/)
    .slice(1)
    .map((each) =>
      each
        .split('\r\n')
        .filter((_, index) => index % 2 === 1)
        .join(' '),
    );
  return { commands, reasons: told.map(({ reason }) => reason), keys: writer.keys };
}

const node = 'redis86-stream.rdb';

test('hashes: HMSET before 4.0, expiries of fields from 7.4 on', async () => {
  const plain = await makeRdb([
    { key: 'h', type: 4, value: Buffer.concat([lengthBytes(1), lengthPrefixed('f'), lengthPrefixed('v')]) },
  ]);
  expect((await commandsFor(plain, 'redis-3.2')).commands).toEqual(['SELECT 0', 'HMSET h f v']);
  expect((await commandsFor(plain, 'redis-4.0')).commands).toEqual(['SELECT 0', 'HSET h f v']);
  const expiring = rdbFixture('valkey9-field-ttl.rdb');
  const full = ['SELECT 0', 'HSET h a 1 b 2', 'HPEXPIREAT h 1924992000123 FIELDS 1 a'];
  for (const server of [undefined, 'redis-7.4', 'valkey-9.0']) {
    expect(await commandsFor(expiring, server)).toEqual({ commands: full, reasons: [], keys: 1 });
  }
  for (const server of ['redis-7.2', 'valkey-8.1']) {
    const { commands, reasons } = await commandsFor(expiring, server);
    expect(commands.filter((command) => !command.startsWith('SELECT'))).toEqual([]);
    expect(reasons).toEqual([expect.stringMatching(/fields expire, and that came with Redis 7\.4/)]);
  }
  const late = rdbFixture('valkey9-field-ttl-2p48.rdb');
  expect((await commandsFor(late, 'valkey-9.1')).reasons).toEqual([]);
  expect((await commandsFor(late, 'redis-8.6')).reasons).toEqual([
    expect.stringContaining('HPEXPIREAT takes'),
  ]);
});

test('streams: from 5.0 on, each part where there is a command for it', async () => {
  const bytes = rdbFixture('stream_listoacks_3.rdb');
  const names = async (server: string) =>
    (await commandsFor(bytes, server)).commands.map((command) => command.split(' ').slice(0, 2).join(' '));
  expect((await commandsFor(bytes, 'redis-4.0')).reasons).toEqual(['streams came with Redis 5.0']);
  expect(await names('redis-6.0')).not.toContain('XGROUP CREATECONSUMER');
  const old = await commandsFor(bytes, 'redis-6.2');
  expect(old.commands.join('\n')).not.toMatch(/ENTRIESADDED|ENTRIESREAD/);
  expect(old.commands.join('\n')).toMatch(/CREATECONSUMER/);
  expect((await commandsFor(bytes, 'redis-7.0')).commands.join('\n')).toMatch(/ENTRIESADDED/);
});

test('pending entries of deleted messages are named: no server makes them', async () => {
  const id = Buffer.alloc(16);
  id[7] = 9;
  const pending = Buffer.concat([Buffer.from([1]), id, Buffer.alloc(8, 0), Buffer.from([2])]);
  const consumer = Buffer.concat([lengthPrefixed('c'), Buffer.alloc(16), Buffer.from([1]), id]);
  const group = Buffer.concat([
    lengthPrefixed('g'),
    Buffer.from([9, 0, 1]),
    pending,
    Buffer.from([1]),
    consumer,
  ]);
  const value = Buffer.concat([Buffer.from([0, 0, 9, 0, 0, 0, 9, 0, 1, 1]), group]);
  const bytes = await makeRdb([{ key: 's', type: 21, value }], { version: 11 });
  for (const target of [undefined, 'redis-6.2', 'redis-5.0']) {
    const { commands, reasons } = await commandsFor(bytes, target);
    expect(commands.join('\n')).not.toContain('XCLAIM');
    expect(reasons).toContain('without pending entries of deleted messages');
  }
});

test('what a stream remembers of its producers: Redis 8.6', async () => {
  const original = rdbFixture(node);
  expect((await commandsFor(original, 'redis-8.4')).reasons).toEqual([]);
  // The last bytes: 100 seconds, 100 ids, no producer, two counts; then the end mark and the sum.
  const at = original.length - 9 - 7;
  const producer = Buffer.concat([
    ...[Buffer.from([50, 60, 1]), lengthPrefixed('p'), Buffer.from([2])],
    ...[lengthPrefixed('id'), Buffer.from([1, 1]), lengthPrefixed('gone'), Buffer.from([0, 7])],
    Buffer.from([2, 3]),
  ]);
  const sum = Buffer.alloc(8);
  const bytes = Buffer.concat([original.subarray(0, at), producer, Buffer.from([0xff]), sum]);
  const now = await commandsFor(bytes, 'redis-8.6');
  expect(now.commands.slice(-2)).toEqual([
    'XCFGSET s IDMP-DURATION 50 IDMP-MAXSIZE 60',
    'XIDMPRECORD s p id 1-1',
  ]);
  expect(now.reasons).toEqual([
    'without ids of producers whose messages are gone',
    'without counts of the ids of producers that are gone',
  ]);
  for (const server of ['redis-8.4', 'valkey-9.1']) {
    const other = await commandsFor(bytes, server);
    expect(other.commands.join('\n')).not.toMatch(/XCFGSET|XIDMPRECORD/);
    expect(other.reasons).toContain('without what it remembers of its producers');
  }
});

test('an id whose message is gone is named, also when the counts agree; so is a producer without ids', async () => {
  const original = rdbFixture(node);
  const at = original.length - 9 - 7;
  const made = async (ids: Buffer[], added: number) => {
    const producer = [Buffer.from([50, 60, 1]), lengthPrefixed('p'), Buffer.from([ids.length]), ...ids];
    const end = [Buffer.from([added, 0, 0xff]), Buffer.alloc(8)];
    return commandsFor(Buffer.concat([original.subarray(0, at), ...producer, ...end]), 'redis-8.6');
  };
  const gone = Buffer.concat([lengthPrefixed('gone'), Buffer.from([0, 7])]);
  expect((await made([gone], 0)).reasons).toEqual(['without ids of producers whose messages are gone']);
  expect((await made([], 0)).reasons).toEqual(['without producers that have no ids']);
});

test('functions and values of modules', async () => {
  const library = await makeRdb([], { functions: ['#!lua name=lib\nreturn 1'] });
  expect((await commandsFor(library, 'redis-6.2')).reasons).toEqual([
    'library lib: functions came with Redis 7.0',
  ]);
  expect((await commandsFor(library, 'valkey-7.2')).commands[0]).toMatch(/^FUNCTION LOAD REPLACE/);
  const vectors = rdbFixture('redis86-vectorset.rdb');
  expect((await commandsFor(vectors, 'valkey-9.1')).reasons).toEqual(['vector sets came with Redis 8.0']);
  const there = await commandsFor(vectors, 'redis-8.0');
  expect(there).toMatchObject({ reasons: [], keys: 2 });
  expect(there.commands.join('\n')).toContain('RESTORE vs 0');
});
