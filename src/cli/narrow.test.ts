import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fittedTable, wrapped } from './narrow.ts';

const rows = [
  ['ID', 'ADDRESS', 'STATE', 'PID'],
  ['redis-1', '10.0.1.55:6379', 'up', '4101'],
  ['redis-2', '10.0.1.56:6379', 'unreachable, seen 3 s ago', '-'],
];
const goesFirst = ['PID', 'ADDRESS'];

test('in a narrow terminal the columns that are missed least go, and the state stays', () => {
  const heads = (room: number) => fittedTable(rows, room, goesFirst)[0]?.split(/\s+/);
  expect(heads(80)).toEqual(['ID', 'ADDRESS', 'STATE', 'PID']);
  expect(heads(52)).toEqual(['ID', 'ADDRESS', 'STATE']);
  expect(heads(40)).toEqual(['ID', 'STATE']);
  expect(heads(5)).toEqual(['ID', 'STATE']);
});

test('a line that is too long goes on below, with its colour', () => {
  expect(wrapped('short', 10)).toEqual(['short']);
  expect(wrapped('last backup 17 min ago, none verified', 16)).toEqual([
    'last backup 17',
    '  min ago, none',
    '  verified',
  ]);
  expect(wrapped('\u001b[31mred and long\u001b[39m', 9)).toEqual([
    '\u001b[31mred and',
    '  \u001b[31mlong\u001b[39m',
  ]);
  expect(wrapped('a redis_2026-11-27T000000Z', 12)).toEqual(['a redis_202', '  6-11-27T00', '  0000Z']);
});

test('no line is wider than there is room, and no letter is lost', () => {
  const words = fc.array(fc.stringMatching(/^[a-z0-9.:-]{1,30}$/), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(words, fc.integer({ min: 8, max: 60 }), (all, room) => {
      const lines = wrapped(all.join(' '), room);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(room);
      expect(lines.join('').replaceAll(' ', '')).toBe(all.join(''));
    }),
  );
});
