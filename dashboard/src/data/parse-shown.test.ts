import { expect, test } from 'vitest';
import { parseShown } from './parse-shown.ts';

test('what could hide or turn text stands as an escape, in values and in names', () => {
  const hostile = { 'na\u202eme': ['<b>\u0007', { deep: 'a\u200bb' }] };
  expect(parseShown(JSON.stringify(hostile))).toEqual({
    'na\\u202eme': ['<b>\\u0007', { deep: 'a\\u200bb' }],
  });
});

test('line ends, tabs, and letters of every script stay', () => {
  const text = 'redis:\n\tname: Größe 名前 مثال';
  expect(parseShown(JSON.stringify({ text }))).toEqual({ text });
});

test('a text without end is cut', () => {
  expect((parseShown(JSON.stringify('x'.repeat(50_000))) as string).length).toBe(20_001);
});

test('a field named __proto__ is a field', () => {
  const parsed = parseShown('{"__proto__": {"state": "healthy"}, "a\\u202e": 1}') as Record<string, unknown>;
  expect(parsed['state']).toBeUndefined();
  expect(Object.keys(parsed)).toContain('__proto__');
});
