import { expect, test } from 'vitest';
import { keyPlacesOf, keysIn } from './key-places.ts';

const words = (text: string) => text.split(' ').map((word) => Buffer.from(word));
const keysOf = (entry: unknown[], request: string) => {
  const args = words(request);
  return keysIn(keyPlacesOf(entry), args)?.map((index) => String(args[index]));
};
const index = (at: number) => ['type', 'index', 'spec', ['index', at]];
const word = (text: string, from: number) => [
  'type',
  'keyword',
  'spec',
  ['keyword', text, 'startfrom', from],
];
const range = (lastkey: number, keystep = 1, limit = 0) => [
  'type',
  'range',
  'spec',
  ['lastkey', lastkey, 'keystep', keystep, 'limit', limit],
];
const keynum = ['type', 'keynum', 'spec', ['keynumidx', 0, 'firstkey', 1, 'keystep', 1]];
const spec = (begin: unknown, find: unknown, flags: string[] = ['RW']) => [
  'flags',
  flags,
  'begin_search',
  begin,
  'find_keys',
  find,
];
/** As Redis 7 gives it; the range of before stands beside the specifications. */
const entry = (name: string, ...specs: unknown[]) => [name, -2, ['write'], 0, 0, 0, [], [], specs, []];
const old = (name: string, first: number, last: number, step: number, flags: string[] = ['write']) => [
  ...[name, -2, flags, first, last, step, []],
];

test('one key, several, and those between values', () => {
  expect(keyPlacesOf(entry('get', spec(index(1), range(0))))).toBe('first');
  expect(keysOf(entry('get', spec(index(1), range(0))), 'GET a')).toEqual(['a']);
  expect(keysOf(entry('del', spec(index(1), range(-1))), 'DEL a b c')).toEqual(['a', 'b', 'c']);
  expect(keysOf(entry('mset', spec(index(1), range(-1, 2))), 'MSET a 1 b 2')).toEqual(['a', 'b']);
  expect(keysOf(entry('blpop', spec(index(1), range(-2))), 'BLPOP a b 5')).toEqual(['a', 'b']);
  expect(keysOf(entry('ping'), 'PING')).toEqual([]);
});

test('keys that are counted, and keys behind a word', () => {
  const evaluated = entry('eval', spec(index(2), keynum));
  expect(keysOf(evaluated, 'EVAL script 2 a b c')).toEqual(['a', 'b']);
  expect(keysOf(evaluated, 'EVAL script 0 a')).toEqual([]);
  expect(keysOf(evaluated, 'EVAL script 9 a b')).toEqual(['a', 'b']);
  expect(keysOf(evaluated, 'EVAL script many a b')).toEqual([]);
  const read = entry('xread', spec(word('STREAMS', 1), range(-1, 1, 2)));
  expect(keysOf(read, 'XREAD COUNT 2 streams a b 0 0')).toEqual(['a', 'b']);
  expect(keysOf(read, 'XREAD COUNT 2')).toEqual([]);
  const fromBehind = entry('x', spec(word('KEYS', -2), range(-1)));
  expect(keysOf(fromBehind, 'X keys a KEYS b c')).toEqual(['b', 'c']);
  const stored = entry('georadius', spec(index(1), range(0)), spec(word('STORE', 6), range(0)));
  expect(keysOf(stored, 'GEORADIUS a 1 1 1 m STORE b')).toEqual(['a', 'b']);
});

test('a channel is no key, and what only the server can find is unknown', () => {
  expect(keyPlacesOf(entry('spublish', spec(index(1), range(0), ['NOT_KEY'])))).toBe('none');
  expect(keyPlacesOf(entry('odd', spec(['type', 'unknown', 'spec', []], range(0))))).toBe('unknown');
  expect(keyPlacesOf(entry('migrate', spec(index(3), range(0), ['RW', 'incomplete'])))).toBe('unknown');
});

test('before 7.0 there are ranges, and a list of those whose keys move', () => {
  expect(keyPlacesOf(old('get', 1, 1, 1))).toBe('first');
  expect(keysOf(old('rename', 1, 2, 1), 'RENAME a b')).toEqual(['a', 'b']);
  expect(keysOf(old('bitop', 2, -1, 1), 'BITOP AND a b c')).toEqual(['a', 'b', 'c']);
  expect(keysOf(old('object', 2, 2, 1), 'OBJECT ENCODING a')).toEqual(['a']);
  const moves = ['write', 'movablekeys'];
  expect(keysOf(old('zunionstore', 1, 1, 1, moves), 'ZUNIONSTORE a 2 b c WEIGHTS 1 2')).toEqual([
    'a',
    'b',
    'c',
  ]);
  expect(keysOf(old('xreadgroup', 0, 0, 0, moves), 'XREADGROUP GROUP g c STREAMS a >')).toEqual(['a']);
  expect(keyPlacesOf(old('module.does', 0, 0, 0, moves))).toBe('unknown');
});
