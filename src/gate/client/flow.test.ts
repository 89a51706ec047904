import { expect, test } from 'vitest';
import { Flow, type Look, lookMs } from './flow.ts';

const kib = 1024;
const mib = 1024 * kib;

/** A client that has so many KiB unread, has read nothing since, and has more to ask. */
const seen = (unreadKib: number, other: Partial<Look> = {}): Look => ({
  unread: unreadKib * kib,
  pending: unreadKib * kib,
  waits: true,
  hasRoom: true,
  apart: 'no',
  ...other,
});

test('what one client has in flight is bounded in requests, in their bytes, and in replies to come', () => {
  const flow = new Flow(64 * mib);
  expect(flow.room(1_000_000, false)).toBe(1024);
  expect(flow.room(10, false)).toBe(10);
  expect(flow.room(0.1, false)).toBe(1);
  flow.sent(1024, 30 * kib);
  flow.starve();
  expect(flow.room(1_000_000, false)).toBe(0);
  expect(flow.fed).toBe(false);
  flow.done(600, 18 * kib);
  expect(flow.fed).toBe(true);
  expect(flow.room(1_000_000, false)).toBe(600);
  flow.sent(1, 2 * mib);
  expect(flow.room(1_000_000, false)).toBe(0);
});

test('reads may have as many under way as short answers have proved', () => {
  const flow = new Flow(64 * mib);
  expect(flow.room(1_000_000, true)).toBe(4);
  const reach = (): number => {
    flow.learn(10, 10 * 100);
    return flow.room(1_000_000, true);
  };
  expect([reach(), reach(), reach()]).toEqual([8, 16, 32]);
  for (let round = 0; round < 10; round++) reach();
  expect(reach()).toBe(1024);
  flow.learn(2, 200 * kib);
  expect(flow.room(1_000_000, true)).toBe(10);
  flow.learn(1, 40 * mib);
  expect(flow.room(1_000_000, true)).toBe(1);
});

test('who reads slowly is waited for; who reads nothing and has more to ask gets more room, up to the limit', () => {
  const flow = new Flow(mib);
  expect(flow.isSlow(63 * kib)).toBe(false);
  expect(flow.isSlow(64 * kib)).toBe(true);
  for (let unread = 600; unread > 500; unread--)
    expect(flow.look(seen(unread, { apart: 'can' }))).toBe('wait');
  const looks = [];
  for (let unread = 64; unread <= 1024; unread *= 2) {
    looks.push(flow.look(seen(unread)), flow.look(seen(unread)));
  }
  expect(looks.slice(0, -2)).toEqual(Array.from({ length: 4 }, () => ['wait', 'go-on']).flat());
  expect(looks.slice(-2)).toEqual(['wait', 'wait']);
  flow.drained();
  expect(flow.isSlow(64 * kib)).toBe(true);
});

test('who reads nothing and can be set apart is, and is given up once its server may keep no more of it', () => {
  const flow = new Flow(mib);
  expect([flow.look(seen(80, { apart: 'can' })), flow.look(seen(80, { apart: 'can' }))]).toEqual([
    'wait',
    'apart',
  ]);
  for (let look = 0; look < 1000; look++) expect(flow.look(seen(80, { apart: 'yes' }))).toBe('wait');
  const verdicts = Array.from({ length: 10_000 / lookMs }, () => flow.look(seen(80, { apart: 'full' })));
  expect(verdicts.filter((verdict) => verdict !== 'wait')).toEqual(['close']);
  expect(verdicts.at(-1)).toBe('close');
});

test('who has all that it may have, more to ask, and reads nothing for ten seconds is given up', () => {
  for (const hasRoom of [true, false]) {
    const flow = new Flow(64 * kib);
    const verdicts = Array.from({ length: 10_000 / lookMs + 1 }, () => flow.look(seen(80, { hasRoom })));
    expect(verdicts.filter((verdict) => verdict !== 'wait')).toEqual(['close']);
    expect(verdicts.at(-1)).toBe('close');
    // Who has nothing more to ask may take as long as it likes.
    const quiet = new Flow(64 * kib);
    for (let look = 0; look < 1000; look++)
      expect(quiet.look(seen(80, { hasRoom, waits: false }))).toBe('wait');
  }
});
