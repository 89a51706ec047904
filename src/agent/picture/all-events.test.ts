import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ApiEvent } from '../../api/events.ts';
import { EventLog } from '../state/event-log.ts';
import { AllEvents } from './all-events.ts';
import { parsePosition, positionText } from './positions.ts';

const startMs = Date.UTC(2026, 0, 1);

function make() {
  let nowMs = startMs;
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'hf-events-')), 'events.jsonl');
  const log = new EventLog(file, { wallMs: () => nowMs, monotonicMs: () => nowMs });
  const all = new AllEvents(log, 'a');
  const note = (ms: number, text: string) => {
    nowMs = startMs + ms;
    log.add('hint', 'orders', text);
  };
  return { all, note };
}

function event(seq: number, ms: number, change: Partial<ApiEvent> = {}): ApiEvent {
  const at = new Date(startMs + ms).toISOString();
  return { seq, at, kind: 'hint', subject: 'orders', text: `b${seq}`, host: 'b', ...change };
}

const texts = (events: readonly ApiEvent[]) => events.map(({ text }) => text);
const from = (text: string) => parsePosition(text, 'a');

test('the events of all hosts stand by time, and go on behind a position', () => {
  const { all, note } = make();
  note(0, 'a1');
  note(100, 'a2');
  all.take('b', 2, [event(1, 50), event(2, 150)]);
  expect(texts(all.since(from('0')))).toEqual(['a1', 'b1', 'a2', 'b2']);
  expect(positionText(all.position, 'a')).toBe('a:2,b:2');
  expect(texts(all.since(from('a:1,b:1')))).toEqual(['a2', 'b2']);
  expect(texts(all.since(all.position))).toEqual([]);
});

test('those of one host keep their order when its clock is set back', () => {
  const { all, note } = make();
  note(500, 'a1');
  all.take('b', 2, [event(1, 900), event(2, 100)]);
  expect(texts(all.since(from('0')))).toEqual(['a1', 'b1', 'b2']);
});

test('an agent that counts from the start again is believed', () => {
  const { all } = make();
  all.take('b', 9, [event(9, 0)]);
  all.take('b', 1, [event(1, 50, { text: 'anew' })]);
  expect(texts(all.since(from('b:9')))).toEqual(['anew']);
  expect(all.lastOf('b')).toBe(1);
});

test('a colleague speaks for its own host only, and what is no event is left out', () => {
  const { all } = make();
  all.take('b', 3, [event(1, 0, { host: 'a' }), { seq: 2 }, 'no', event(3, 2, { text: 'x'.repeat(5000) })]);
  all.take('c', 1, { not: 'a list' });
  const [first, last, ...more] = all.since(from('0'));
  expect([first?.host, last?.text.length, more]).toEqual(['b', 2000, []]);
});

test('who listens hears of each, once', () => {
  const { all, note } = make();
  const heard: string[] = [];
  const stop = all.listen(({ text, host }) => heard.push(`${host}: ${text}`));
  note(0, 'a1');
  all.take('b', 1, [event(1, 0)]);
  all.take('b', 2, [event(1, 0), event(2, 0)]);
  stop();
  note(1, 'a2');
  expect(heard).toEqual(['a: a1', 'b: b1', 'b: b2']);
});

test('where there is but one host a position is a number', () => {
  const { all, note } = make();
  note(0, 'a1');
  expect(positionText(all.position, 'a')).toBe('1');
  expect(texts(all.since(from('1')))).toEqual([]);
});
