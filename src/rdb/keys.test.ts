import { expect, test } from 'vitest';
import { KeyPattern } from '../base/key-pattern.ts';
import { writeInteger, writeInteger64 } from './integer-text.ts';
import { KeyHash } from './key-hash.ts';
import { KeyTable } from './key-table.ts';
import { patternBytes } from './key-text.ts';
import { keySlot } from './slot.ts';

function matches(pattern: string, key: string): boolean {
  const around = Buffer.from(`<${key}>`);
  return new KeyPattern(pattern).matches(around, 1, around.length - 1);
}

test.each([
  ['*', '', true],
  ['user:*', 'user:1', true],
  ['user:*', 'users', false],
  ['h?llo', 'hallo', true],
  ['h?llo', 'hllo', false],
  ['h[ae]llo', 'hello', true],
  ['h[^e]llo', 'hello', false],
  ['h[a-c]llo', 'hbllo', true],
  ['h[c-a]llo', 'hbllo', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['*a*b*c', 'xxaxxbxxc', true],
  ['*a*b*c', 'xxaxxbxx', false],
  ['[]', 'a', false],
  ['a', '', false],
])('pattern %s and key %s: %s', (pattern, key, expected) => {
  expect(matches(pattern, key)).toBe(expected);
});

test.each([
  ['\\xff*', [0xff, 1], true],
  ['\\xff*', [0x78, 0x66, 0x66], false],
  ['a\\x2ab', Buffer.from('a*b'), true],
  ['a\\x2ab', Buffer.from('axb'), false],
  ['[\\x80-\\xff]', [0xc3], true],
  ['[\\x80-\\xff]', [0x41], false],
  ['\\\\xff', Buffer.from('\\xff'), true],
  ['\\x5c', Buffer.from('\\'), true],
  ['é\\xG', Buffer.from('éxG'), true],
])('typed pattern %s and key %j: %s', (pattern, key, expected) => {
  const bytes = Buffer.from(key);
  expect(new KeyPattern(patternBytes(pattern)).matches(bytes, 0, bytes.length)).toBe(expected);
});

test('a pattern of many stars takes no time', () => {
  const started = performance.now();
  expect(matches('*a'.repeat(30), 'a'.repeat(5000).replace(/.$/, 'b'))).toBe(false);
  expect(performance.now() - started).toBeLessThan(2000);
});

test('slots are those of CLUSTER KEYSLOT', () => {
  const slot = (key: string) => keySlot(Buffer.from(`<${key}>`), 1, key.length + 1);
  expect(slot('123456789')).toBe(12_739);
  expect(slot('foo')).toBe(12_182);
  expect(slot('{user1000}.following')).toBe(slot('user1000'));
  expect(slot('foo{}{bar}')).toBe(slot('foo{}{bar}'));
  expect(slot('foo{}{bar}')).not.toBe(slot('bar'));
  expect(slot('foo{{bar}}zap')).toBe(slot('{bar'));
});

test('hashes depend on the database, on every byte, and on the secret', () => {
  const words = (hash: KeyHash, db: number, key: string) => {
    hash.update(db, Buffer.from(key), 0, key.length);
    return [hash.a, hash.b, hash.c].join();
  };
  const hash = new KeyHash(Buffer.alloc(8, 1));
  const seen = new Set<string>();
  for (const db of [0, 1]) {
    for (let length = 0; length < 20; length++) {
      for (const last of ['x', 'y']) seen.add(words(hash, db, 'k'.repeat(length) + last));
    }
  }
  expect(seen.size).toBe(80);
  expect(words(hash, 0, 'key')).toBe(words(new KeyHash(Buffer.alloc(8, 1)), 0, 'key'));
  expect(words(hash, 0, 'key')).not.toBe(words(new KeyHash(Buffer.alloc(8, 2)), 0, 'key'));
});

test('a table knows what was added, also when it had to grow', () => {
  for (const expected of [0, 50_000, 1_000_000]) {
    const table = new KeyTable(expected);
    const hash = new KeyHash(Buffer.alloc(8, 7));
    const key = Buffer.alloc(4);
    const add = (number: number) => {
      key.writeUInt32LE(number);
      hash.update(0, key, 0, 4);
      return table.add(hash.a, hash.b, hash.c);
    };
    for (let number = 0; number < 200_000; number++)
      if (!add(number)) throw new Error(`${number} was not new`);
    for (let number = 0; number < 200_000; number += 7)
      if (add(number)) throw new Error(`${number} was forgotten`);
    expect(table.size).toBe(200_000);
  }
});

test('integers become their decimal digits', () => {
  const target = Buffer.alloc(32);
  for (const value of [
    0,
    7,
    -1,
    10,
    99,
    -128,
    65_536,
    2 ** 31,
    -(2 ** 31),
    999_999_999_999,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ]) {
    expect(target.toString('latin1', 0, writeInteger(target, 0, value))).toBe(String(value));
  }
  for (const value of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]) {
    const high = Number(BigInt.asIntN(32, value >> 32n));
    const low = Number(BigInt.asIntN(32, value));
    expect(target.toString('latin1', 0, writeInteger64(target, 0, high, low))).toBe(String(value));
  }
});
