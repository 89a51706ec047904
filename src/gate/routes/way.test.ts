import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyPlacesOf } from '../../redis/key-places.ts';
import { behaviourOf } from '../commands/behaviour.ts';
import { PrefixMap } from './prefix-map.ts';
import { type Asked, wayOf } from './way.ts';

const map = new PrefixMap([
  { prefix: 'a:', lane: 1 },
  { prefix: 'b:', lane: 2 },
]);
const nowhere = new Set<number>();

/** As a server before 7.0 tells of them: flags, first key, last key, step. */
const told: Record<string, [flags: string[], first: number, last: number, step: number]> = {
  get: [['readonly'], 1, 1, 1],
  mget: [['readonly'], 1, -1, 1],
  mset: [['write'], 1, -1, 2],
  msetnx: [['write'], 1, -1, 2],
  del: [['write'], 1, -1, 1],
  rename: [['write'], 1, 2, 1],
  blpop: [['write', 'blocking'], 1, -2, 1],
  watch: [[], 1, -1, 1],
  sort: [['write', 'movablekeys'], 1, 1, 1],
  migrate: [['write', 'movablekeys'], 0, 0, 0],
  keys: [['readonly'], 0, 0, 0],
  scan: [['readonly'], 0, 0, 0],
  flushall: [['write'], 0, 0, 0],
};

const asked = (request: string, { at = 0, pinned = false, isCopying = false } = {}): Asked => {
  const args = request.split(' ').map((word) => Buffer.from(word));
  const name = String(args[0]).toLowerCase();
  const [flags, first, last, step] = told[name] ?? [[], 0, 0, 0];
  return {
    command: {
      name,
      read: flags.includes('readonly'),
      behaviour: behaviourOf(name, flags),
      keys: keyPlacesOf([name, 0, flags, first, last, step]),
    },
    args,
    at,
    pinned,
    isCopying,
  };
};
const way = (request: string, where = {}, readHere = nowhere) =>
  wayOf(asked(request, where), { map, readHere });
const go = (lane: number) => expect.objectContaining({ kind: 'go', lane });
const refused = (text: RegExp) => ({ kind: 'refuse', reply: expect.stringMatching(text) });

test('keys say where a request goes; without keys it goes to the catch-all', () => {
  expect(way('GET a:1')).toEqual(go(1));
  expect(way('GET x', { at: 1 })).toEqual(go(0));
  expect(way('MGET b:1 b:2')).toEqual(go(2));
  expect(way('PING', { at: 1 })).toEqual(go(0));
  expect(way('FLUSHALL', { at: 1 })).toEqual(go(0));
  expect(way('SUBSCRIBE a:1', { at: 1 })).toEqual(go(0));
  expect(way('AUTH a:1', { at: 1 })).toEqual(go(0));
  expect(way('NEWER a:1', { at: 1 })).toEqual(go(0));
  expect(way('WAIT 1 0', { at: 1 })).toEqual(go(1));
  expect(way('QUIT', { at: 2 })).toEqual(go(2));
});

test('keys of several routes are split where each stands for itself', () => {
  expect(way('MGET a:1 x b:1 a:2')).toEqual({
    kind: 'split',
    parts: [
      { lane: 1, keys: [0, 3] },
      { lane: 0, keys: [1] },
      { lane: 2, keys: [2] },
    ],
  });
  expect(way('MSET a:1 b:1 b:1 b:2')).toMatchObject({ kind: 'split' });
  expect(way('MSET a:1 1 b:1')).toEqual(go(0));
  for (const request of ['RENAME a:1 b:1', 'MSETNX a:1 1 b:1 1', 'BLPOP a:1 b:1 0', 'RENAME a:1 x'])
    expect(way(request)).toEqual(refused(/^CROSSSLOT /));
  expect(way('SORT a:1 STORE b:1')).toEqual(refused(/^CROSSSLOT /));
  expect(way('SORT a:1 BY b:* GET # STORE a:2')).toEqual(refused(/^CROSSSLOT /));
  expect(way('SORT a:1 BY a:weight:* GET # STORE a:2')).toEqual(go(1));
  expect(way('MIGRATE h 1 a:1 0 1')).toEqual(refused(/^ERR MIGRATE .*nobody knows its keys/));
});

test('patterns go where all is that they can match', () => {
  expect(way('KEYS a:*')).toEqual(go(1));
  expect(way('KEYS *', { at: 1 })).toEqual(go(0));
  expect(way('SCAN 0 COUNT 5 MATCH b:7*')).toEqual(go(2));
  expect(way('SCAN 0', { at: 1 })).toEqual(go(0));
});

test('where reads stay here only what may write goes there', () => {
  const here = new Set([1]);
  expect(way('GET a:1', {}, here)).toEqual(go(0));
  expect(way('GET b:1', {}, here)).toEqual(go(2));
  expect(way('MGET a:1 x', { at: 1 }, here)).toEqual(go(0));
  expect(way('MGET a:1 b:1', {}, here)).toMatchObject({ kind: 'split' });
  expect(way('SCAN 0 MATCH a:*', {}, here)).toEqual(go(0));
  expect(way('DEL a:1', {}, here)).toEqual(go(1));
  expect(way('WATCH a:1', {}, here)).toEqual(go(1));
  // Inside the transaction there it reads what it watches.
  expect(way('GET a:1', { at: 1, pinned: true }, here)).toEqual(go(1));
  expect(way('GET a:1', { at: 0, pinned: true }, here)).toEqual(go(0));
});

test('a mirror writes the copy here, wherever the keys of that are written otherwise', () => {
  const here = new Set([1]);
  const copying = { isCopying: true };
  for (const request of ['MSET a:1 v', 'DEL a:1 x', 'WATCH a:1', 'GET a:1'])
    expect(way(request, copying, here)).toEqual(go(0));
  expect(way('MSET a:1 v', { at: 0, pinned: true, ...copying }, here)).toEqual(go(0));
  // Of those there is no copy here.
  expect(way('MSET b:1 v', copying, here)).toEqual(go(2));
});

test('who holds something at a server stays there', () => {
  const held = { at: 1, pinned: true };
  expect(way('GET a:2', held)).toEqual(go(1));
  expect(way('GET x', held)).toEqual(refused(/^ERR a key of another route/));
  expect(way('MGET a:1 b:1', held)).toEqual(refused(/^CROSSSLOT /));
  expect(way('MULTI', held)).toEqual(go(1));
  expect(way('MULTI', { at: 1 })).toEqual(go(0));
  expect(way('EXEC', held)).toEqual(go(1));
  expect(way('PING', held)).toEqual(go(1));
  for (const request of ['FLUSHALL', 'RESET', 'SELECT 1', 'AUTH x', 'SUBSCRIBE c', 'CLIENT LIST'])
    expect(way(request, held)).toEqual(refused(/goes to the catch-all/));
  expect(way('FLUSHALL', { at: 0, pinned: true })).toEqual(go(0));
});

test('nobody who is pinned ever leaves, and whoever goes has all of its keys there', () => {
  const key = fc.constantFrom('a:1', 'a:2', 'b:1', 'x');
  const name = fc.constantFrom(
    ...Object.keys(told),
    'exec',
    'multi',
    'reset',
    'ping',
    'wait',
    'quit',
    'hello',
    'other',
  );
  fc.assert(
    fc.property(
      name,
      fc.array(key, { maxLength: 4 }),
      fc.integer({ min: 0, max: 2 }),
      fc.boolean(),
      (verb, keys, at, pinned) => {
        const found = way([verb, ...keys].join(' '), { at, pinned });
        if (pinned && found.kind === 'go') expect(found.lane).toBe(at);
        if (pinned) expect(found.kind).not.toBe('split');
        if (found.kind === 'go') {
          const args = [verb, ...keys];
          for (const index of found.keys)
            expect({ a: 1, b: 2 }[args[index]?.[0] ?? ''] ?? 0).toBe(found.lane);
        }
        if (found.kind === 'split')
          expect(new Set(found.parts.map(({ lane }) => lane)).size).toBe(found.parts.length);
      },
    ),
  );
});
