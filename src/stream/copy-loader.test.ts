import { expect, test } from 'vitest';
import { entriesOf, inPieces, makeRdb, rdbFixtures } from '../../test/support/rdb-files.ts';
import { KeyPattern, matchedBy } from '../base/key-pattern.ts';
import { Scanner } from '../rdb/scanner.ts';
import { targetOfServer } from '../rdb/target.ts';
import { CopyBatch, type DbKey } from './copy-batch.ts';
import { CopyLoader } from './copy-loader.ts';
import { changingKeys } from './key-changes.ts';
import { KeyPositions } from './key-positions.ts';
import { restoreCommand } from './restore-command.ts';
import { type Rewriter, unchanged } from './rewrite.ts';

const options = { target: targetOfServer('redis-8.6'), replaces: true };

/** Hears what is added, as `db key = value`, or as what is sent to restore it. */
class Heard extends CopyBatch {
  readonly all: string[] = [];

  constructor() {
    super(true, { bytes: 1024, keys: 10 });
  }

  override addPair(
    db: number,
    ...[key, keyFrom, keyTo, value, from, to]: Parameters<CopyBatch['addPair']> extends [number, ...infer R]
      ? R
      : never
  ): void {
    this.all.push(`${db} ${key.toString('hex', keyFrom, keyTo)} = ${value.toString('hex', from, to)}`);
  }

  override addCommand(db: number, args: Parameters<CopyBatch['addCommand']>[1], key: Buffer | null): void {
    if (key !== null) this.all.push(`${db} ${JSON.stringify(args)}`);
  }
}

function load(bytes: Buffer, pieceBytes: number, rewriter: Rewriter): string[] {
  const batch = new Heard();
  const scanner = new Scanner(new CopyLoader(batch, rewriter, options));
  for (const piece of inPieces(bytes, pieceBytes)) scanner.push(piece);
  scanner.finish();
  return batch.all;
}

async function wanted(bytes: Buffer, named: (at: DbKey) => Buffer | undefined): Promise<string[]> {
  return (await entriesOf(bytes)).flatMap((entry) => {
    const { db, type, body, expireMs, idle, freq } = entry;
    const key = named(entry);
    if (key === undefined) return [];
    const value = entry.kind === 'string' ? entry.value() : undefined;
    const isPlain =
      type === 0 && body[0] !== 0xc3 && [expireMs, idle, freq].every((each) => each === undefined);
    if (value?.kind !== 'string' || !isPlain)
      return [`${db} ${JSON.stringify(restoreCommand(entry, key, options))}`];
    return [`${db} ${key.toString('hex')} = ${value.value.toString('hex')}`];
  });
}

/** Values of modules and of forms before release: as `restoreCommand` has them, which other tests are about. */
const carried = rdbFixtures().filter(({ name }) => !/module|pre-?ga|metadata/i.test(name));

test('whatever a file holds is added, however its bytes arrive', async () => {
  let checked = 0;
  for (const { bytes } of carried) {
    const all = await wanted(bytes, ({ key }) => key).catch(() => undefined);
    if (all === undefined) continue;
    for (const size of bytes.length < 20_000 ? [1, 7, 4096] : [1021, 65_536])
      expect(load(bytes, size, unchanged)).toEqual(all);
    checked++;
  }
  expect(checked).toBeGreaterThan(40);
});

test('under another name, and without what is left out', async () => {
  const bytes = await makeRdb([
    { key: 'a:1', value: 'one' },
    { key: 'b:1', value: 'two' },
    { key: 'a:2', value: 'three', expireMs: 5_000_000_000_000 },
    { key: 'a:3', value: Buffer.from([0xc1, 0xff, 0xff]) },
  ]);
  const rewriter = changingKeys(unchanged, {
    ...{
      prefix: Buffer.from('p:'),
      isCarried: matchedBy([new KeyPattern('a:*')]),
      positions: new KeyPositions([]),
    },
  });
  const all = await wanted(bytes, ({ key }) => rewriter.targetKey(key));
  expect(all.length).toBe(3);
  expect(all[2]).toContain(Buffer.from('-1').toString('hex'));
  expect(load(bytes, 3, rewriter)).toEqual(all);
});
