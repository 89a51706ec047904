import { expect, test } from 'vitest';
import { inPieces, makeRdb } from '../../../test/support/rdb-files.ts';
import { Scanner } from '../../rdb/scanner.ts';
import type { Feed } from '../../stream/feed.ts';
import type { Place } from '../../stream/position.ts';
import { type DataFile, finiteSource } from './file-feed.ts';

const commands = Buffer.from('*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n');

function part(name: string, bytes: Buffer, pieceBytes: number): DataFile {
  return {
    ...{ name, bytes: bytes.length, stamp: `${name} ${bytes.length}` },
    open: async function* () {
      yield* inPieces(bytes, pieceBytes);
    },
  };
}

async function open(parts: DataFile[], place: Place | null = null): Promise<Feed> {
  return await finiteSource('files', parts).open(place, new AbortController().signal);
}

/** Keys of the snapshot, and the bytes behind it. */
async function readAll(feed: Feed): Promise<{ keys: string[]; rest: string }> {
  const keys: string[] = [];
  const { snapshot } = feed;
  if (snapshot !== undefined) {
    const scanner = new Scanner({
      key: (found) => {
        keys.push(found.copyKey().toString());
        return { mode: 0, raw: undefined };
      },
    });
    for await (const piece of snapshot.data) {
      const taken = scanner.push(piece);
      if (scanner.isDone) feed.snapshotEnded(piece.subarray(taken));
    }
    scanner.finish();
  }
  const rest: Buffer[] = [];
  for await (const piece of feed.commands()) rest.push(Buffer.from(piece));
  return { keys, rest: Buffer.concat(rest).toString() };
}

test('an RDB, an AOF that begins with one, an AOF without, and an AOF in parts', async () => {
  const rdb = await makeRdb([
    { key: 'one', value: '1' },
    { key: 'two', value: '2' },
  ]);
  const keys = ['one', 'two'];
  const text = commands.toString();
  for (const size of [1, 5, 64, 4096]) {
    expect(await readAll(await open([part('a', rdb, size)]))).toEqual({ keys, rest: '' });
    const both = Buffer.concat([rdb, commands]);
    expect(await readAll(await open([part('a', both, size)]))).toEqual({ keys, rest: text });
    expect(await readAll(await open([part('a', commands, size)]))).toEqual({ keys: [], rest: text });
    const parts = [part('base', rdb, size), part('1', commands, size), part('2', commands, size)];
    expect(await readAll(await open(parts))).toEqual({ keys, rest: text + text });
    const none = [part('a', Buffer.alloc(0), size)];
    await expect(open(none)).rejects.toThrow('the file is empty');
    expect(await readAll(await open([...none, part('1', commands, size)]))).toEqual({ keys: [], rest: text });
  }
});

test('it goes on from a place, unless the files have changed', async () => {
  const rdb = await makeRdb([{ key: 'one', value: '1' }]);
  for (const size of [3, 4096]) {
    const parts = [part('base', rdb, size), part('1', commands, size), part('2', commands, size)];
    const { place } = await open(parts);
    expect(place.offset).toBe(0);
    for (const offset of [0, 14, commands.length, commands.length + 14, commands.length * 2]) {
      const feed = await open(parts, { ...place, offset });
      expect(feed.snapshot).toBeUndefined();
      expect(await readAll(feed)).toEqual({
        keys: [],
        rest: Buffer.concat([commands, commands]).subarray(offset).toString(),
      });
    }
    const grown = [part('base', rdb, size), part('1', Buffer.concat([commands, commands]), size)];
    await expect(open(grown, place)).rejects.toThrow(/is not what it was/);
  }
});

test('whoever reads it hears why it was ended', async () => {
  const feed = await open([part('a', commands, 4)]);
  const reading = (async () => {
    for await (const _ of feed.commands()) feed.fail(new Error('stopped here'));
  })();
  await expect(reading).rejects.toThrow('stopped here');
  feed.close();
});
