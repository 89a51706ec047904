import { expect, test } from 'vitest';
import type { ApiJob } from '../../../src/api/jobs.ts';
import type { ApiView } from '../../../src/api/view.ts';
import { aboutOf, isAfter, verdictOf } from './describe.ts';
import { type Phase, stagesAt } from './stages.ts';

const states = (phase: Phase) => stagesAt(phase).map(({ state }) => state);

test('an action goes through its stages', () => {
  expect(states('checking')).toEqual(['now', 'later', 'later', 'later', 'later']);
  expect(states('planned')).toEqual(['over', 'now', 'later', 'later', 'later']);
  expect(states('starting')).toEqual(['over', 'over', 'now', 'later', 'later']);
  expect(states('running')).toEqual(['over', 'over', 'over', 'now', 'later']);
  expect(states('verifying')).toEqual(['over', 'over', 'over', 'over', 'now']);
  expect(states('done')).toEqual(['over', 'over', 'over', 'over', 'over']);
});

test('what is refused fails the check that refused it', () => {
  expect(states('refused')).toEqual(['failed', 'later', 'later', 'later', 'later']);
  expect(states('not-begun')).toEqual(['over', 'over', 'failed', 'later', 'later']);
  expect(states('failed')).toEqual(['over', 'over', 'over', 'failed', 'later']);
});

const view = {
  name: 'orders',
  state: 'healthy',
  primary: 'redis-2',
  paused: false,
  problems: [],
} as unknown as ApiView;
const job = { state: 'done', request: { to: 'redis-2' } } as unknown as ApiJob;

test('the page looks itself at what came of it', () => {
  expect(verdictOf({ kind: 'switchover', to: 'redis-2' }, job, view)).toEqual({
    good: true,
    text: 'orders is healthy, redis-2 is primary.',
  });
  expect(verdictOf({ kind: 'switchover', to: 'redis-3' }, job, view).good).toBe(false);
  expect(verdictOf({ kind: 'pause' }, job, view).good).toBe(false);
  const degraded = { ...view, state: 'degraded', problems: ['redis-1 is down'] } as ApiView;
  expect(verdictOf({ kind: 'failover' }, job, degraded)).toEqual({
    good: false,
    text: 'orders is degraded, redis-2 is primary. Redis-1 is down.',
  });
});

test('what came of it is told by a view that was made after its end', () => {
  const ended = { endedAt: '2026-11-27T15:42:21.459Z' };
  expect(isAfter({ at: '2026-11-27T15:42:21.458Z' }, ended)).toBe(false);
  expect(isAfter({ at: '2026-11-27T15:42:21.459Z' }, ended)).toBe(true);
  expect(isAfter({ at: '2026-11-27T15:42:21.459Z' }, { endedAt: null })).toBe(false);
  // Whoever was found to be the best is to be primary.
  const best = { ...job, result: { from: 'redis-2', to: 'redis-3' } } as ApiJob;
  expect(verdictOf({ kind: 'switchover' }, best, view)).toEqual({
    good: false,
    text: 'The primary is redis-2, not redis-3.',
  });
});

test('a backup that is not good, and a promise that was broken, are no good end of what looked for them', () => {
  const ended = (result: unknown) => ({ ...job, result }) as ApiJob;
  const backup = 'redis_x';
  const bad = verdictOf(
    { kind: 'verify', backup },
    ended({ good: false, problems: ['a key is missing'] }),
    view,
  );
  expect(bad).toEqual({ good: false, text: 'The backup is NOT good: a key is missing' });
  expect(verdictOf({ kind: 'verify', backup }, ended({ good: true, keys: 1 }), view)).toEqual({
    good: true,
    text: 'The backup is good, with 1 key.',
  });
  const drill = { kind: 'drill', scenario: 'primary-crash' } as const;
  expect(verdictOf(drill, ended({ kept: false }), view).good).toBe(false);
  expect(verdictOf(drill, ended({ kept: true }), view).good).toBe(true);
  expect(verdictOf({ kind: 'doctor' }, ended({ critical: 1, warnings: 2 }), view)).toEqual({
    good: false,
    text: 'Found: 1 critical, 2 warnings.',
  });
  expect(verdictOf({ kind: 'backup' }, ended({ id: backup, keys: 3 }), view).text).toContain(backup);
  // Whatever an agent of another release says.
  expect(verdictOf(drill, ended('kept'), view).text).toContain('orders is healthy');
});

test('a job says what it is about', () => {
  expect(aboutOf(job)).toBe('redis-2');
  expect(aboutOf({ request: { kind: 'pause' } })).toBe('');
});
