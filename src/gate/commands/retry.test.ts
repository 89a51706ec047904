import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { writeRequest } from '../../resp/write.ts';
import { mayRetry, retryRows } from './retry.ts';

const again = (...args: string[]) => mayRetry(args[0] as string, writeRequest(args));

test('SET is sent again only when its answer and effect do not depend on what was there', () => {
  expect(again('set', 'k', 'v')).toBe(true);
  expect(again('set', 'NX', 'GET')).toBe(true);
  expect(again('set', 'k', 'v', 'EX', '5')).toBe(true);
  expect(again('set', 'k', 'v', 'nx')).toBe(false);
  expect(again('set', 'k', 'v', 'GET')).toBe(false);
  expect(again('set', 'k', 'v', 'IFEQ', 'w')).toBe(false);
});

test('what counts, what has a condition, and what reads the key that it writes is not sent again', () => {
  for (const line of [
    'incr k',
    'del k',
    'hset k f v',
    'hsetnx k f v',
    'sadd k m',
    'restore k 0 x',
    'copy a b',
    'expire k 10',
    'expire k 10 nx',
    'geoadd k nx 1 2 m',
    'setbit k 1 1',
    'ltrim k 1 -1',
    'bitop xor k k other',
    'sdiffstore k other k',
    'zunionstore k 2 k other',
    'zrangestore k k 1 -1',
    'flushall',
    'constructor',
  ]) {
    expect(again(...line.split(' ')), line).toBe(false);
  }
  expect(again('copy', 'a', 'b', 'REPLACE')).toBe(true);
  expect(again('bitop', 'xor', 'k', 'a', 'b')).toBe(true);
  expect(again('sdiffstore', 'k', 'a', 'b')).toBe(true);
});

test('docs/gate.md has the list as it is', () => {
  const text = readFileSync(new URL('../../../docs/gate.md', import.meta.url), 'utf8');
  expect(text).toContain(`| --- | --- |\n${retryRows().join('\n')}\n`);
});
