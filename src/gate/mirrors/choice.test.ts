import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeRequest } from '../../resp/write.ts';
import type { Command } from '../commands/command-table.ts';
import { type Chosen, choiceOf, shareOf } from './choice.ts';

const range = { begin: { index: 1 }, find: { last: -1, step: 1, limit: 0 } };
const commands: Record<string, Pick<Command, 'read' | 'keys'>> = {
  GET: { read: true, keys: 'first' },
  SET: { read: false, keys: 'first' },
  MGET: { read: true, keys: [range] },
  DEL: { read: false, keys: [range] },
  PING: { read: true, keys: 'none' },
  FLUSHALL: { read: false, keys: 'none' },
  MODULE: { read: false, keys: 'unknown' },
};

function isCopied(text: string, chosen: Partial<Chosen> = {}) {
  const words = text.split(' ');
  const bytes = writeRequest(words);
  const choice = choiceOf({ prefixes: [], percentage: 100, copies: 'writes', ...chosen });
  return choice(commands[words[0] as string]!, bytes, 0, bytes.length);
}

test('writes are copied, reads where they are wanted, and nothing that has no keys', () => {
  expect(isCopied('SET a 1')).toBe('yes');
  expect(isCopied('GET a')).toBe('no');
  expect(isCopied('GET a', { copies: 'all' })).toBe('yes');
  for (const text of ['PING', 'FLUSHALL']) expect(isCopied(text, { copies: 'all' })).toBe('no');
  expect(isCopied('MODULE a')).toBe('unknown');
});

test('with prefixes every key has to begin with one of them', () => {
  const prefixes = ['a:', 'b:'];
  expect(isCopied('SET a:1 x', { prefixes })).toBe('yes');
  expect(isCopied('SET c:1 x', { prefixes })).toBe('no');
  expect(isCopied('DEL a:1 b:1', { prefixes })).toBe('yes');
  expect(isCopied('DEL a:1 c:1', { prefixes })).toBe('no');
  expect(isCopied('MGET a:1', { prefixes })).toBe('no');
});

test('a share is that much of the keys, and a larger one has every key of a smaller one', () => {
  const keys = Array.from({ length: 20_000 }, (_, i) => `user:${i}`);
  const inShare = (percentage: number) =>
    keys.filter((key) => shareOf(Buffer.from(key)) < percentage).length / keys.length;
  for (const percentage of [1, 10, 50]) expect(inShare(percentage)).toBeCloseTo(percentage / 100, 1);
  fc.assert(
    fc.property(fc.string(), (key) => {
      const share = shareOf(Buffer.from(key));
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThan(100);
    }),
  );
});
