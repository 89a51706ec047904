import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleManifest } from '../../scripts/fuzz-support/memory-store.mjs';
import type { Keep } from '../spec/spec.ts';
import { planPrune } from './retention.ts';

const nothing: Keep = { hourly: 0, daily: 0, weekly: 0, monthly: 0, maxAgeMs: null };
const now = Date.parse('2026-03-01T12:00:00Z');

function kept(times: string[], keep: Partial<Keep>, timezone = 'UTC'): string[] {
  const plan = planPrune(
    times.map((time) => sampleManifest(time)),
    { ...nothing, ...keep },
    now,
    timezone,
  );
  return plan.keep.map(({ backup }) => backup.startedAt);
}

const day = (date: string, hour = 2) => `2026-${date}T${String(hour).padStart(2, '0')}:00:00Z`;

test('the last of each day, and days without a backup cost nothing', () => {
  const times = [day('01-01'), day('02-10', 1), day('02-10', 20), day('02-27'), day('03-01')];
  expect(kept(times, { daily: 3 })).toEqual([day('02-10', 20), day('02-27'), day('03-01')]);
});

test('days are those of the time zone', () => {
  // 23:30 and 00:30 in Berlin are one day in UTC.
  const times = ['2026-02-10T22:30:00Z', '2026-02-10T23:30:00Z', day('03-01')];
  expect(kept(times, { daily: 9 }, 'UTC')).toEqual(times.slice(1));
  expect(kept(times, { daily: 9 }, 'Europe/Berlin')).toEqual(times);
});

test('weeks begin on Monday, months on the first', () => {
  // 2026-02-22 is a Sunday.
  const times = [day('01-31'), day('02-01'), day('02-22'), day('02-23'), day('03-01')];
  expect(kept(times, { weekly: 2 })).toEqual([day('02-22'), day('03-01')]);
  expect(kept(times, { monthly: 3 })).toEqual([day('01-31'), day('02-23'), day('03-01')]);
});

test('hours, and an age', () => {
  const times = [day('02-28', 10), '2026-03-01T09:10:00Z', '2026-03-01T09:50:00Z', '2026-03-01T11:00:00Z'];
  expect(kept(times, { hourly: 2 })).toEqual(times.slice(2));
  expect(kept(times, { maxAgeMs: 3 * 3_600_000 })).toEqual(times.slice(1));
});

test('the newest stays whatever the rules say, also when it is years old', () => {
  expect(kept(['2020-01-01T00:00:00Z', '2020-01-02T00:00:00Z'], { maxAgeMs: 60_000 })).toEqual([
    '2020-01-02T00:00:00Z',
  ]);
  expect(planPrune([], nothing, now)).toEqual({ keep: [], remove: [] });
});

test('a backup before a restore does not take the place of the good one of its day', () => {
  const good = sampleManifest(day('02-28', 2));
  const before = { ...sampleManifest(day('02-28', 9)), reason: 'before-restore' as const };
  const earlier = { ...sampleManifest(day('02-28', 8)), reason: 'before-restore' as const };
  const plan = planPrune([good, earlier, before], { ...nothing, daily: 7 }, now);
  expect(plan.keep.map(({ backup }) => backup)).toEqual([good, before]);
});

test('one that failed its verification counts for nothing, and stays for a person to look at', () => {
  const times = [day('02-27'), day('02-28', 2), day('02-28', 9)];
  const backups = times.map((time) => sampleManifest(time));
  const failed = new Map([[backups[2]!.id, 'it failed its verification; look at it']]);
  const plan = planPrune(backups, { ...nothing, daily: 1 }, now, 'UTC', failed);
  expect(plan.remove.map(({ backup }) => backup)).toEqual([backups[0]]);
  expect(plan.keep.map(({ backup, why }) => [backup, why])).toEqual([
    [backups[1], 'the newest always stays'],
    [backups[2], 'it failed its verification; look at it'],
  ]);
});

test('one that is dated ahead stays, and takes nobody’s place; a clock a little ahead is none', () => {
  const times = [
    day('02-27'),
    day('02-28'),
    '2026-03-01T12:04:00Z',
    '2027-03-01T00:00:00Z',
    '2999-01-01T00:00:00Z',
  ];
  expect(kept(times, { daily: 1 })).toEqual(times.slice(2));
  expect(kept(times, { daily: 2, maxAgeMs: 1 })).toEqual(times.slice(1));
});

test('every backup is kept or removed, never the newest, and pruning twice removes nothing more', () => {
  const count = fc.integer({ min: 0, max: 5 });
  const keeps = fc.record({
    hourly: count,
    daily: count,
    weekly: count,
    monthly: count,
    maxAgeMs: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 1e10 })),
  });
  const minutes = fc.uniqueArray(fc.integer({ min: 0, max: 200_000 }), { maxLength: 40 });
  fc.assert(
    fc.property(
      minutes,
      keeps,
      fc.constantFrom('UTC', 'Asia/Kolkata', 'America/New_York'),
      (ages, keep, timezone) => {
        const backups = ages.map((age) => sampleManifest(new Date(now - age * 60_000).toISOString()));
        const plan = planPrune(backups, keep, now, timezone);
        expect(plan.keep.length + plan.remove.length).toBe(backups.length);
        const stays = plan.keep.map(({ backup }) => backup);
        const newest = backups.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0];
        if (newest) expect(stays).toContain(newest);
        expect(planPrune(stays, keep, now, timezone).remove).toEqual([]);
        const ahead = ages.map((age) => sampleManifest(new Date(now + (age + 6) * 60_000).toISOString()));
        const beside = planPrune([...ahead, ...backups], keep, now, timezone);
        expect(beside.remove).toEqual(plan.remove);
      },
    ),
  );
});
