import { expect, test } from 'vitest';
import { aPrimary, aReplica, aView } from '../../../test/support/views.ts';
import type { ApiView } from '../../api/view.ts';
import { writeHealth } from '../api/health.ts';
import { statusOf } from '../api/status-answer.ts';
import { type Drift, driftHarm } from './drift-harm.ts';

const set = (name: string, running: string, wanted: string, member = 'redis-1'): Drift => ({
  ...{ member, kind: 'setting', name, running, wanted },
});
const user = (running: string, wanted: string): Drift => ({
  ...{ member: 'redis-1', kind: 'user', name: 'default', running, wanted },
});
const members = [aPrimary('redis-1'), aReplica('redis-2'), aReplica('redis-3')];
const of = (drift: readonly Drift[], changes = members) => {
  const status = statusOf(aView({ members: changes }), 0, null, drift);
  const { ok, why } = writeHealth({ ...status, host: 'local' } as unknown as ApiView);
  return { ...status, ok, why, code: status.members[0]?.troubleCode };
};

test('a primary that wants more replicas than follow it is a problem, and not ready for writes', () => {
  const found = of([set('min-replicas-to-write', '3', '1')]);
  const sentence =
    'redis-1 refuses writes with NOREPLICAS: somebody set its min-replicas-to-write to 3, and 2 follow it; by the spec it is 1. holdfast apply undoes it';
  expect(found).toMatchObject({ state: 'degraded', problems: [sentence], ok: false, why: sentence });
  expect(found.code).toBe('writes-refused');
  // As many as follow it; the older name; one that is no primary.
  expect(of([set('min-replicas-to-write', '2', '1')])).toMatchObject({ state: 'healthy', ok: true });
  expect(of([set('min-slaves-to-write', '3', '1')]).ok).toBe(false);
  expect(of([set('min-replicas-to-write', '3', '1', 'redis-2')])).toMatchObject({
    state: 'healthy',
    ok: true,
  });
});

test('a member that writes no AOF though the spec says so is a problem, and takes writes', () => {
  for (const member of ['redis-1', 'redis-2']) {
    const found = of([set('appendonly', 'no', 'yes', member)]);
    expect(found).toMatchObject({ state: 'degraded', ok: true });
    expect(found.problems).toEqual([expect.stringContaining(`${member} writes no AOF`)]);
  }
  expect(of([set('appendonly', 'yes', 'no'), set('hz', '50', '10')])).toMatchObject({ state: 'healthy' });
});

test.each([
  ['keys', 'on sanitize-payload resetchannels +@all', true],
  ['a command', 'on ~* &* +@all -set', true],
  ['everything', 'off ~* &* +@all', true],
  ['being there', '', true],
  ['nothing: it has one more key pattern', 'on ~* ~app:* &* +@all', false],
])('a user of the spec that lost %s', (_what, running, isHarm) => {
  const found = of([user(running, 'on ~* &* +@all')]);
  expect([found.state, found.code]).toEqual(
    isHarm ? ['degraded', 'user-restricted'] : ['healthy', undefined],
  );
  expect(found.ok).toBe(true);
});

test('a user that nobody can log in as by what the spec has is a problem at the primary', () => {
  const found = of([{ ...user('on ~* &* +@all', 'on ~* &* +@all'), keepsOut: true }]);
  expect([found.state, found.code]).toEqual(['degraded', 'user-restricted']);
  expect(found.problems).toEqual([
    'the user default has another password at redis-1 than by the spec; whoever logs in as it may be refused. holdfast apply undoes it',
  ]);
  // One more that is valid beside it keeps nobody out.
  expect(of([user('on ~* &* +@all', 'on ~* &* +@all')]).state).toBe('healthy');
});

test('a member that could not log in at a primary is a problem, whoever is primary', () => {
  for (const [name, member] of [
    ['masteruser', 'redis-1'],
    ['masterauth', 'redis-2'],
  ] as const) {
    const found = of([set(name, 'another', 'holdfast-replication', member)]);
    expect([found.state, found.ok]).toEqual(['degraded', true]);
    expect(found.problems).toEqual([
      `${member} can't log in at a primary to follow it: somebody changed its ${name}. holdfast apply undoes it`,
    ]);
  }
});

test('what a user lacks is said, and not all that it may do', () => {
  const rules = Array.from({ length: 100 }, (_, i) => `-command-${i}`).join(' ');
  const harm = driftHarm([user(`on &* +@all ${rules}`, `on ~* &* +@all ${rules}`)], 2);
  expect(harm?.text).toBe(
    'the user default of redis-1 is not as the spec has it: it lacks "~*"; whoever logs in as it may be refused. holdfast apply undoes it',
  );
  expect(driftHarm([user('', `on ~* ${rules}`)], 2)?.text).toBe(
    'the user default is not there at redis-1; whoever logs in as it may be refused. holdfast apply undoes it',
  );
  const all = driftHarm([user(`off ${rules}`, 'on ~* &* +@all')], 2);
  expect(all?.text.length).toBeLessThan(400);
});

test('a user that may do more, or that the spec does not name, keeps nobody out', () => {
  const wider = user('on ~* &* +@all', 'on ~app:* &news +get');
  expect(driftHarm([wider, user('on ~* +get', '')], 2)).toBeUndefined();
});

test('the worst is said: refused writes before lost persistence, and full memory before both', () => {
  const drift = [set('appendonly', 'no', 'yes'), set('min-replicas-to-write', '3', '1')];
  expect(driftHarm(drift, 2)?.code).toBe('writes-refused');
  expect(driftHarm(drift, 3)?.code).toBe('not-persisted');
  const memory = { level: 'full', maxBytes: 1, policy: 'noeviction', refused: 1 } as const;
  expect(of(drift, [aPrimary('redis-1', { memory }), ...members.slice(1)]).code).toBe('memory-full');
});
