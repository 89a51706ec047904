import { expect, test } from 'vitest';
import { KeyPositions } from './key-positions.ts';

const args = (text: string) => text.split(' ').map((word) => Buffer.from(word));
const keys = (table: unknown[], text: string) => {
  const given = args(text);
  const name = given[0]!.toString().toLowerCase();
  return new KeyPositions(table).of(name, given)?.map((index) => String(given[index]));
};

/** As Redis 7 has a command with subcommands: the command itself has no keys. */
const spec = [
  ...['flags', ['RW'], 'begin_search', ['type', 'index', 'spec', ['index', 2]]],
  ...['find_keys', ['type', 'range', 'spec', ['lastkey', 0, 'keystep', 1, 'limit', 0]]],
];
const child = (name: string, specs: unknown[]) => [name, -4, ['write'], 2, 2, 1, [], [], specs, []];
const newer = [
  ['xgroup', -2, [], 0, 0, 0, [], [], [], [child('xgroup|create', [spec]), child('xgroup|help', [])]],
  ['function', -2, [], 0, 0, 0, [], [], [], [['function|load', -3, ['write'], 0, 0, 0, [], [], [], []]]],
];
/** Before 7.0 there are no subcommands in the table. */
const older = [['xgroup', -2, ['write', 'denyoom'], 2, 2, 1, []]];

test('of a command with subcommands each has keys of its own', () => {
  for (const text of ['XGROUP CREATE s g 0', 'xgroup create s g 0']) expect(keys(newer, text)).toEqual(['s']);
  expect(keys(older, 'XGROUP CREATE s g 0')).toEqual(['s']);
  expect(keys(newer, 'FUNCTION LOAD code')).toEqual([]);
});

test('of one that the table has not nobody knows', () => {
  expect(keys(newer, 'XGROUP UNHEARDOF s g')).toBeUndefined();
  expect(keys(newer, 'XGROUP')).toBeUndefined();
  expect(keys(older, 'FUNCTION LOAD code')).toBeUndefined();
  expect(keys([], 'SET a b')).toBeUndefined();
  expect(new KeyPositions(null).of('set', args('SET a b'))).toBeUndefined();
});

test('keys that move are found as the table of a server of before 7.0 has it, too', () => {
  const table = [
    ['zunionstore', -4, ['movablekeys'], 1, 1, 1],
    ['sort', -2, ['movablekeys'], 1, 1, 1],
    ['georadius', -6, ['movablekeys'], 1, 1, 1],
    ['odd.thing', -1, ['movablekeys'], 0, 0, 0],
  ];
  expect(keys(table, 'ZUNIONSTORE d 2 a b WEIGHTS 2 3')).toEqual(['d', 'a', 'b']);
  expect(keys(table, 'SORT a BY nosort STORE d')).toEqual(['a', 'd']);
  expect(keys(table, 'GEORADIUS a 1 1 1 m STOREDIST d')).toEqual(['a', 'd']);
  expect(keys(table, 'ODD.THING a')).toBeUndefined();
});
