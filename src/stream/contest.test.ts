import { expect, test } from 'vitest';
import { RedisRefused } from '../redis/errors.ts';
import { ReplyError } from '../resp/read.ts';
import { Contest, winsOver } from './contest.ts';
import { CopyBatch } from './copy-batch.ts';
import type { TargetWriter } from './target-writer.ts';

test('which of two keys counts', () => {
  const cases = [
    ['first', -1, 5, false],
    ['last', 5, -1, true],
    ['newest-expiry', -1, -1, false],
    ['newest-expiry', -1, 5000, true],
    ['newest-expiry', 5000, -1, false],
    ['newest-expiry', 5001, 5000, true],
    ['newest-expiry', 5000, 5000, false],
    ['newest-expiry', 5000, 6000, false],
  ] as const;
  for (const [rule, comes, there, wins] of cases)
    expect([rule, winsOver(rule, comes, there, 0)]).toEqual([rule, wins]);
  // The clock of an older target and the time that is left are told a moment apart.
  expect([5001, 5006].map((comes) => winsOver('newest-expiry', comes, 5000, 5))).toEqual([false, true]);
});

/** A target whose clock stands at 1,000 s, and that has these keys: ms that each has left, -1 for ever. @param isOld of before Redis 7 */
function holding(there: Record<string, number>, isOld = true): TargetWriter {
  const callAll = async (requests: readonly (readonly unknown[])[]) =>
    requests.map(([name, key]) => {
      if (name === 'TIME') return ['1000', '0'];
      if (name === 'PEXPIRETIME' && isOld)
        throw RedisRefused('unknown', { cause: new ReplyError("ERR unknown command 'PEXPIRETIME'") });
      const left = there[String(key)] ?? -2;
      if (name === 'PEXPIRETIME') return left < 0 ? left : 1_000_000 + left;
      return name === 'PTTL' ? left : 'OK';
    });
  return { link: { callAll, call: async () => 'OK' } } as unknown as TargetWriter;
}

function batchOf(add: (batch: CopyBatch) => void): CopyBatch {
  const batch = new CopyBatch(true, { bytes: 1000, keys: 100 });
  add(batch);
  batch.written();
  return batch;
}

const textOf = (batch: CopyBatch) => Buffer.concat(batch.written().pieces).toString().replaceAll('\r\n', ' ');

test('of two that expire within a moment the later one counts, and of two that expire together the one that is there', async () => {
  const key = Buffer.from('a');
  const leftOut = async (expireMs: number, isOld: boolean) => {
    const batch = batchOf((each) =>
      each.addCommand(0, ['RESTORE', key, String(expireMs), key], key, expireMs),
    );
    return (await new Contest(holding({ a: 500 }, isOld), 'newest-expiry').without(batch))?.leftOut ?? 0;
  };
  expect(await Promise.all([leftOut(1_000_500, false), leftOut(1_000_501, false)])).toEqual([1, 0]);
  expect(await Promise.all([leftOut(1_000_501, true), leftOut(1_000_506, true)])).toEqual([1, 0]);
});

test('what loses is left out, and all of a value that goes in pieces', async () => {
  const [a, b, c, long] = ['a', 'b', 'c', 'long'].map((key) => Buffer.from(key)) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  const contest = new Contest(holding({ a: -1, c: 500, long: -1 }), 'newest-expiry');
  const first = await contest.without(
    batchOf((batch) => {
      batch.addPair(0, a, 0, 1, a, 0, 1);
      batch.addPair(0, b, 0, 1, b, 0, 1);
      batch.addCommand(2, ['RESTORE', c, '1000400', c], c, 1_000_400);
      batch.addCommand(2, ['RESTORE', b, '0', b], b);
      batch.addWritten({ db: 2, key: long, expireMs: 7 }, [Buffer.from('*1\r\n$4\r\nLONG\r\n')], 1, true);
    }),
  );
  expect(first?.leftOut).toBe(3);
  expect(textOf(first!.batch)).toMatch(
    /^\*3 \$4 MSET \$1 b \$1 b \*2 \$6 SELECT \$1 2 \*4 \$7 RESTORE \$1 b \$1 0 \$1 b $/,
  );
  expect(first!.batch.written().commands).toBe(3);
  const more = await contest.without(
    batchOf((batch) =>
      batch.addWritten({ db: 2, key: long, expireMs: 7 }, [Buffer.from('*1\r\n$4\r\nMORE\r\n')], 1, false),
    ),
  );
  expect(more?.batch.isEmpty).toBe(true);
  expect(
    await new Contest(holding({}), 'first').without(batchOf((batch) => batch.addPair(0, a, 0, 1, a, 0, 1))),
  ).toBeUndefined();
});
