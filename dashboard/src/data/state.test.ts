import { expect, test } from 'vitest';
import type { ApiEvent } from '../../../src/api/events.ts';
import { addEvents } from './state.ts';

function event(seq: number, second = seq): ApiEvent {
  const at = new Date(1_780_000_000_000 + 1000 * second).toISOString();
  return { seq, at, kind: 'ready', subject: 'test', text: '', host: 'local' };
}
const seqs = (events: readonly ApiEvent[]) => events.map(({ seq }) => seq);

test('what a reconnect sends again is not taken twice', () => {
  expect(seqs(addEvents([event(1), event(2)], [event(2), event(3)]))).toEqual([1, 2, 3]);
});

test('nothing new leaves the list as it is', () => {
  const there = [event(1)];
  expect(addEvents(there, [event(1)])).toBe(there);
});

test('an agent that counts from the start again is believed', () => {
  expect(seqs(addEvents([event(7), event(8)], [event(1, 20)]))).toEqual([7, 8, 1]);
});

test('events of another host that come later are put where they belong', () => {
  const late = { ...event(1, 2), host: 'b' };
  const all = addEvents(addEvents([], [event(1), event(2, 3)]), [late]);
  expect(all.map(({ host, seq }) => `${host} ${seq}`)).toEqual(['local 1', 'b 1', 'local 2']);
  expect(addEvents(all, [late])).toBe(all);
});

test('the list is bounded', () => {
  const many = Array.from({ length: 10_500 }, (_, index) => event(index + 1));
  const kept = addEvents([], many);
  expect([kept.length, kept[0]?.seq]).toEqual([10_000, 501]);
});
