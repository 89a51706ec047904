import { expect, test } from 'vitest';
import { positionKey } from './position.ts';
import { withoutPositions } from './without-positions.ts';

function rewritten(...words: string[]): unknown {
  const args = words.map((word) => Buffer.from(word));
  return withoutPositions.rewrite(words[0]!.toLowerCase(), () => args, 0);
}

test('what streams write about themselves stays where it is, and everything else goes on as it came', () => {
  const key = positionKey('abc-1');
  expect(rewritten('SET', key, '{}')).toBe('nothing');
  expect(rewritten('set', key, '{}', 'PXAT', '1')).toBe('nothing');
  expect(rewritten('DEL', key)).toBe('nothing');
  expect(rewritten('DEL', key, 'a')).toBe('as-it-is');
  expect(rewritten('SET', 'a', key)).toBe('as-it-is');
  expect(rewritten('FLUSHALL')).toBe('as-it-is');
});
