import { expect, test } from 'vitest';
import { KeyPattern, matchedBy } from '../base/key-pattern.ts';
import { movingDatabases } from './database-moves.ts';
import { changingKeys } from './key-changes.ts';
import { KeyPositions } from './key-positions.ts';

/** As COMMAND has them: name, arity, flags, first, last, step. */
const positions = new KeyPositions([
  ['set', -3, [], 1, 1, 1],
  ['mset', -3, [], 1, -1, 2],
  ['del', -2, [], 1, -1, 1],
  ['rename', 3, [], 1, 2, 1],
  ['smove', 4, [], 1, 2, 1],
  ['bitop', -4, [], 2, -1, 1],
  ['blpop', -3, [], 1, -2, 1],
  ['xgroup', -2, [], 2, 2, 1],
  ['zunionstore', -4, ['movablekeys'], 1, 1, 1],
  ['sort', -2, ['movablekeys'], 1, 1, 1],
  ['flushall', -1, [], 0, 0, 0],
  ['odd.thing', -1, ['movablekeys'], 0, 0, 0],
]);

function carried(command: string, prefix: string, ...patterns: string[]): string[] {
  const args = command.split(' ').map((arg) => Buffer.from(arg));
  const inner = movingDatabases({ dbs: new Map(), isAlone: true });
  const changing = changingKeys(inner, {
    prefix: Buffer.from(prefix),
    isCarried: matchedBy(patterns.map((pattern) => new KeyPattern(pattern))),
    positions,
  });
  const found = changing.rewrite(args[0]!.toString().toLowerCase(), () => args, 0);
  if (typeof found === 'string') return [found];
  return found.map((each) => each.map(String).join(' '));
}

test('keys get a prefix wherever they stand, and nothing else does', () => {
  expect(carried('SET a a', 'p:')).toEqual(['SET p:a a']);
  expect(carried('MSET a b b a', 'p:')).toEqual(['MSET p:a b p:b a']);
  expect(carried('BITOP AND a b c', 'p:')).toEqual(['BITOP AND p:a p:b p:c']);
  expect(carried('BLPOP a b 0', 'p:')).toEqual(['BLPOP p:a p:b 0']);
  expect(carried('XGROUP CREATE s g 0', 'p:')).toEqual(['XGROUP CREATE p:s g 0']);
  expect(carried('ZUNIONSTORE d 2 a b WEIGHTS 2 3', 'p:')).toEqual(['ZUNIONSTORE p:d 2 p:a p:b WEIGHTS 2 3']);
  expect(carried('SORT a BY nosort STORE d', 'p:')).toEqual(['SORT p:a BY nosort STORE p:d']);
  expect(carried('FLUSHALL', 'p:')).toEqual(['FLUSHALL']);
});

test('what no pattern matches is left out, of some commands a part', () => {
  expect(carried('SET a v', '', 'b*')).toEqual([]);
  expect(carried('SET b1 v', 'p:', 'b*', 'c*')).toEqual(['SET p:b1 v']);
  expect(carried('DEL a b1 b2', '', 'b*')).toEqual(['DEL b1 b2']);
  expect(carried('MSET a 1 b 2', 'p:', 'b*')).toEqual(['MSET p:b 2']);
  expect(carried('RENAME b1 a', 'p:', 'b*')).toEqual(['DEL p:b1']);
});

test('what would need data that is not there ends it', () => {
  expect(() => carried('RENAME a b1', '', 'b*')).toThrow(/RENAME with keys/);
  expect(() => carried('SMOVE a b1 m', '', 'b*')).toThrow(/SMOVE with keys/);
  expect(() => carried('ZUNIONSTORE b1 1 a', '', 'b*')).toThrow(/ZUNIONSTORE with keys/);
  expect(() => carried('ODD.THING a', 'p:')).toThrow(/ODD.THING, of which nobody knows/);
  expect(() => carried('UNHEARD.OF a', 'p:')).toThrow(/UNHEARD.OF, of which nobody knows/);
});
