import { expect, test } from 'vitest';
import { movingDatabases } from './database-moves.ts';

const args = (text: string) => () => text.split(' ').map((word) => Buffer.from(word));
const shownAs = (rewritten: unknown) =>
  Array.isArray(rewritten) ? rewritten.map((words) => words.map(String).join(' ')) : rewritten;

test('a database that is moved is moved also where a command names it', () => {
  const moves = movingDatabases({ dbs: new Map([[0, 3]]), isAlone: true });
  expect(moves.targetDb(0)).toBe(3);
  expect(moves.targetDb(1)).toBe(1);
  expect(shownAs(moves.rewrite('move', args('MOVE k 0'), 1))).toEqual(['MOVE k 3']);
  expect(shownAs(moves.rewrite('copy', args('COPY db x DB 0 REPLACE'), 1))).toEqual([
    'COPY db x DB 3 REPLACE',
  ]);
  expect(shownAs(moves.rewrite('copy', args('COPY a b'), 1))).toEqual(['COPY a b']);
  expect(moves.rewrite('set', args('SET a b'), 0)).toBe('as-it-is');
});

test('what empties whole databases passes only where nothing else is there', () => {
  const alone = movingDatabases({ dbs: new Map(), isAlone: true });
  const beside = movingDatabases({ dbs: new Map(), isAlone: false });
  expect(alone.rewrite('flushall', args('FLUSHALL'), 0)).toBe('as-it-is');
  for (const name of ['flushall', 'flushdb', 'swapdb']) {
    expect(() => beside.rewrite(name, args(name), 0)).toThrow(
      expect.objectContaining({ code: 'STREAM_CANT_CARRY' }),
    );
  }
  // In database 0 of the target lies how far the copy is.
  expect(() => alone.rewrite('swapdb', args('SWAPDB 0 1'), 0)).toThrow(/SWAPDB with database 0/);
  expect(alone.rewrite('swapdb', args('SWAPDB 3 7'), 0)).toBe('as-it-is');
});
