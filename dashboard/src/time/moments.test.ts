import { expect, test } from 'vitest';
import type { ApiEvent } from '../../../src/api/events.ts';
import { marksOf, momentsOf } from './moments.ts';

function event(ms: number, kind: string): ApiEvent {
  const at = new Date(1_780_000_000_000 + ms).toISOString();
  return { seq: ms + 1, at, kind, subject: 'redis-1', text: kind, host: 'local' };
}
const start = 1_780_000_000_000;

test('events that are close to each other are one mark, as bad as the worst of them', () => {
  const events = [event(0, 'ready'), event(500, 'exited'), event(5000, 'promoted')];
  const marks = marksOf(events, start, start + 10_000, 1000);
  expect(marks.map(({ events: each, bad }) => [each.length, bad])).toEqual([
    [2, true],
    [1, false],
  ]);
});

test('what lies outside is left out, and notes stand in no chart', () => {
  const events = [
    event(0, 'exited'),
    event(20_000, 'hint'),
    event(30_000, 'promoted'),
    event(90_000, 'exited'),
  ];
  expect(momentsOf(events, start + 10_000, start + 60_000)).toEqual([{ atMs: start + 30_000, bad: false }]);
});
