import { expect, test } from 'vitest';
import {
  entriesOf,
  inPieces,
  lengthBytes,
  lengthPrefixed,
  makeRdb,
  rdbFixtures,
} from '../../test/support/rdb-files.ts';
import type { RdbEntry } from '../rdb/entries.ts';
import { Scanner } from '../rdb/scanner.ts';
import { targetOfServer } from '../rdb/target.ts';
import { readArguments } from '../resp/arguments.ts';
import { createRequestFrame, frameRequest } from '../resp/request.ts';
import { CopyBatch } from './copy-batch.ts';
import { CopyLoader } from './copy-loader.ts';
import { hasPieces } from './long-value.ts';
import { unchanged } from './rewrite.ts';

const requestLimits = { bulkBytes: 2 ** 30, elements: 2 ** 20, lineBytes: 65536 };
const options = { target: targetOfServer('redis-8.6'), replaces: true };

/** What is sent to the target for all that a file holds, each batch a transaction. */
function sent(bytes: Buffer, pieceBytes: number, more: { heldBytes: number; longest?: number }): Buffer[][] {
  const found: Buffer[][] = [];
  const loader = new CopyLoader(new CopyBatch(true, { bytes: 100, keys: 10 }), unchanged, {
    ...options,
    ...more,
  });
  const take = () => {
    const { pieces, commands } = loader.batch.written();
    const all = Buffer.concat(pieces);
    const frame = createRequestFrame();
    let count = 0;
    for (let at = 0; at < all.length; count++) {
      const end = frameRequest(all, at, all.length, frame, requestLimits);
      found.push(readArguments(all, at, end).map((each) => Buffer.from(each)));
      at = end;
    }
    expect(count).toBe(commands);
    loader.batch.clear();
  };
  const scanner = new Scanner(loader);
  for (const piece of inPieces(bytes, pieceBytes)) {
    scanner.push(piece);
    if (loader.batch.isFull) take();
  }
  scanner.finish();
  take();
  return found;
}

/** What commands make of a key, as `value` has it: for those that pieces are made of. */
function made(commands: readonly (readonly Buffer[])[], { kind, key }: RdbEntry): unknown {
  const own = commands.filter(([name, of]) => of?.equals(key) && !/^(DEL|PEXPIREAT)$/.test(`${name}`));
  const hex = (bytes: Buffer | undefined) => bytes?.toString('hex');
  if (kind === 'string') {
    let text = Buffer.alloc(0);
    for (const [, , at, bytes] of own) {
      const end = Number(at) + bytes!.length;
      if (end > text.length) text = Buffer.concat([text, Buffer.alloc(end - text.length)]);
      bytes!.copy(text, Number(at));
    }
    return hex(text);
  }
  const adding = { list: 'RPUSH', set: 'SADD', zset: 'ZADD', hash: 'HSET', stream: 'XADD' }[kind as 'list'];
  const added = own.filter(([name]) => `${name}` === adding);
  if (kind === 'stream') return added.map(([, , ...entry]) => entry.map(hex));
  const texts = added.flatMap(([, , ...all]) => all.map(hex));
  const expiries = own
    .filter(([name]) => `${name}` === 'HPEXPIREAT')
    .map((args) => [hex(args[5]), `${args[2]}`]);
  return { texts, expiries };
}

function wanted(entry: RdbEntry): unknown {
  const value = entry.value();
  const hex = (bytes: Buffer) => bytes.toString('hex');
  const ascii = (text: string) => hex(Buffer.from(text));
  const none = { expiries: [] };
  switch (value.kind) {
    case 'string':
      return hex(value.value);
    case 'list':
      return { texts: value.items.map(hex), ...none };
    case 'set':
      return { texts: value.members.map(hex), ...none };
    case 'zset':
      return {
        texts: value.members.flatMap(({ score, member }) => [scoreText(score), hex(member)]),
        ...none,
      };
    case 'hash':
      return {
        texts: value.fields.flatMap(({ field, value: text }) => [hex(field), hex(text)]),
        expiries: value.fields.flatMap(({ field, expireMs }) =>
          expireMs === undefined ? [] : [[hex(field), String(expireMs)]],
        ),
      };
    case 'stream':
      return value.entries.map(({ id, fields }) => [
        ascii(id),
        ...fields.flatMap(({ field, value: text }) => [hex(field), hex(text)]),
      ]);
    default:
      return undefined;
  }
}

function scoreText(score: number): string {
  const text =
    score === Infinity ? 'inf' : score === -Infinity ? '-inf' : Object.is(score, -0) ? '-0' : `${score}`;
  return Buffer.from(text).toString('hex');
}

test('whatever has pieces is made of them, however its bytes arrive', async () => {
  const kinds = new Set<string>();
  for (const { name, bytes } of rdbFixtures()) {
    const entries = await entriesOf(bytes).catch(() => []);
    for (const heldBytes of [12, 100]) {
      const long = entries.filter(({ type, body }) => hasPieces(type) && body.length > heldBytes);
      if (long.length === 0 || bytes.length > 200_000) continue;
      for (const pieceBytes of [3, 1021, 65_536]) {
        const commands = await Promise.resolve()
          .then(() => sent(bytes, pieceBytes, { heldBytes }))
          .catch((error: Error) => error);
        // What this target can't have whole ends it, as it does when it is not sent in pieces.
        if (commands instanceof Error) {
          expect(`${name}: ${commands.message}`).toMatch(/can't be carried/);
          continue;
        }
        for (const entry of long) {
          const key = `${name} ${entry.db} ${entry.key}`;
          if (entries.filter((other) => other.key.equals(entry.key)).length > 1) continue;
          if (!commands.some(([command, of]) => `${command}` === 'DEL' && of?.equals(entry.key))) continue;
          expect({ key, made: made(commands, entry) }).toEqual({ key, made: wanted(entry) });
          kinds.add(`${entry.kind} ${entry.encoding}`);
        }
      }
    }
  }
  expect([...kinds].toSorted()).toEqual([
    ...['hash hashtable', 'list linkedlist', 'list quicklist', 'set hashtable'],
    ...['stream stream', 'string raw', 'zset skiplist'],
  ]);
});

test('a string is as long as it says, and no longer than the target takes', async () => {
  const text = '0123456789'.repeat(30);
  const bytes = await makeRdb([{ key: 'long', value: text, expireMs: 5_000_000_000_000 }]);
  const commands = sent(bytes, 50, { heldBytes: 64 }).map((args) => args.map(String).slice(0, 3).join(' '));
  expect(commands.slice(0, 3)).toEqual(['DEL long', 'SETRANGE long 299', 'SETRANGE long 0']);
  expect(commands.at(-1)).toBe('PEXPIREAT long 5000000000000');
  expect(() => sent(bytes, 50, { heldBytes: 64, longest: 299 })).toThrow(
    /key 'long'.*longer than the target takes/,
  );
});

test('a value longer than an argument may be goes in pieces, each element of which is none', async () => {
  const list = (length: number) =>
    Buffer.concat([lengthBytes(20), ...Array.from({ length: 20 }, () => lengthPrefixed('x'.repeat(length)))]);
  const of = async (length: number) => await makeRdb([{ key: 'l', type: 1, value: list(length) }]);
  const commands = sent(await of(40), 50, { heldBytes: 10_000, longest: 100 });
  expect(commands.filter(([name]) => `${name}` === 'RPUSH').flatMap((args) => args.slice(2)).length).toBe(20);
  await expect(async () => sent(await of(101), 50, { heldBytes: 10_000, longest: 100 })).rejects.toThrow(
    /an element of.*key 'l'/,
  );
});
