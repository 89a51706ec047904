import { expect, test } from 'vitest';
import { backups } from '../../../test/support/dashboard/answers.ts';
import { member, view } from '../../../test/support/dashboard/example.ts';
import type { ApiOperation } from '../../api/jobs.ts';
import type { ApiView } from '../../api/view.ts';
import { demandAsApproved, planOf } from './plan.ts';
import type { KnownStore } from './plan-backups.ts';

const backup = 'redis_2026-11-27T001753Z';
const store: KnownStore = {
  holds: {
    ...backups,
    backups: [{ ...backups.backups[0]!, id: backup }],
    broken: [{ id: 'redis_half', why: 'its data is gone' }],
  },
};
const plan = (operation: ApiOperation, change: Partial<ApiView> = {}, known: KnownStore | null = store) =>
  planOf(operation, view(change), known);
const lonely = [member(1), member(2, { state: 'down' }), member(3, { eligible: false })];
const full = [1, 2, 3].map((n) =>
  member(n, { trouble: `the disk of redis-${n} is full`, troubleCode: 'disk-full' }),
);

test('what may be done says what will happen', () => {
  const all: ApiOperation[] = [
    ...[{ kind: 'switchover' } as const, { kind: 'switchover', to: 'redis-2' } as const],
    ...[{ kind: 'failover' } as const, { kind: 'restart' } as const, { kind: 'pause' } as const],
    ...[{ kind: 'restart', process: 'gate-1' } as const, { kind: 'backup' } as const],
    ...[{ kind: 'verify', backup } as const, { kind: 'restore', backup, replace: true } as const],
    ...[{ kind: 'doctor' } as const, { kind: 'drill', scenario: 'primary-crash' } as const],
  ];
  for (const each of all) {
    const { allowed, why, will } = plan(each);
    expect([allowed, why, will.length > 0], JSON.stringify(each)).toEqual([true, null, true]);
  }
});

test('what may not be done says why, and what to do about it', () => {
  const operation = { text: 'a restart', job: null, steps: [] };
  const cases: [ApiOperation, Partial<ApiView>, RegExp][] = [
    [{ kind: 'switchover' }, { operation }, /a restart is under way/],
    [{ kind: 'switchover' }, { primary: null }, /no primary to move from/],
    [{ kind: 'switchover', to: 'redis-1' }, {}, /the primary already/],
    [{ kind: 'switchover', to: 'redis-9' }, {}, /no process redis-9/],
    [{ kind: 'switchover', to: 'gate-1' }, {}, /no member/],
    [{ kind: 'switchover', to: 'redis-2' }, { members: lonely }, /redis-2 is down/],
    [{ kind: 'switchover' }, { members: lonely }, /no replica is fit/],
    [{ kind: 'switchover', to: 'redis-2' }, { members: full }, /the disk of redis-2 is full/],
    [{ kind: 'switchover' }, { members: full }, /no replica is fit/],
    [{ kind: 'restart' }, { members: full }, /the disk of redis-1 is full/],
    [{ kind: 'failover' }, { members: lonely }, /no replica is fit/],
    [{ kind: 'failover', to: 'redis-1' }, {}, /the primary already/],
    [{ kind: 'failover', to: 'gate-1' }, {}, /no member gate-1/],
    [{ kind: 'failover', to: 'redis-3' }, { members: lonely }, /redis-3 is not eligible/],
    [{ kind: 'failover' }, { sentinels: [], primary: null }, /no member says who leads/],
    [{ kind: 'failover', to: 'redis-2' }, { sentinels: [], members: lonely }, /redis-2 is down/],
    [{ kind: 'restart', process: 'redis-2' }, {}, /redis-2 runs on b/],
    [{ kind: 'pause' }, { paused: true }, /paused already/],
    [{ kind: 'resume' }, {}, /are not paused/],
    [{ kind: 'restore', backup }, {}, /482117 keys, which would be replaced/],
    [{ kind: 'drill', scenario: 'flood' }, {}, /no drill flood/],
  ];
  for (const [each, change, words] of cases) {
    const { allowed, why, hint } = plan(each, change);
    expect([allowed, why, hint], JSON.stringify(each)).toEqual([
      false,
      expect.stringMatching(words),
      expect.any(String),
    ]);
  }
  expect(plan({ kind: 'backup' }, {}, null).why).toMatch(/names no store/);
});

/** Its primary is dead, and so all links to it are broken. */
const lost = [
  member(1, { state: 'down' }),
  ...[2, 3].map((n) => member(n, { state: 'disconnected', linkUp: false })),
];

test('a failover may be asked for when the primary is lost, which is what it is for', () => {
  for (const operation of [{ kind: 'failover' } as const, { kind: 'failover', to: 'redis-3' } as const])
    expect(plan(operation, { members: lost, state: 'down' })).toMatchObject({ allowed: true, why: null });
  expect(plan({ kind: 'failover' }, { members: lost }).will[1]).toMatch(/^One of redis-2, redis-3 becomes/);
  expect(plan({ kind: 'failover', to: 'redis-3' }, { members: lost }).will[1]).toMatch(/^redis-3 becomes/);
});

test('without Sentinels a person may choose any member that answers, the one that leads too', () => {
  const alone = { sentinels: [], members: [member(1), ...lost.slice(1)] };
  const asked = (to: string) => plan({ kind: 'failover', to }, alone);
  expect(asked('redis-1')).toMatchObject({ allowed: true, will: [expect.stringMatching(/leads on alone/)] });
  expect(asked('redis-3').warnings[1]).toMatch(/Nobody votes: you answer for it that redis-1 leads no more/);
  expect(asked('redis-3').will).toEqual(['redis-3 becomes primary at once; redis-1 follows it.']);
});

test('a restore says how much it replaces, and whether a backup is taken before', () => {
  const members = (keys: number) => ({ members: [member(1, { keys }), member(2), member(3)] });
  const restore = { kind: 'restore', backup, replace: true } as const;
  expect(plan(restore, members(1)).warnings).toEqual(['What is there is replaced: 1 key.']);
  expect(plan({ ...restore, safetyBackup: false }, members(7)).warnings).toEqual([
    'What is there is replaced: 7 keys, and no backup is taken before.',
  ]);
  expect(plan(restore, members(0)).warnings).toEqual([]);
});

test('a backup that is not in the store, or can not be used, is neither verified nor restored', () => {
  for (const kind of ['verify', 'restore'] as const) {
    const asked = (id: string) =>
      ({ kind, backup: id, ...(kind === 'restore' && { replace: true }) }) as ApiOperation;
    expect(plan(asked(backup)).allowed).toBe(true);
    expect(plan(asked('redis_gone'))).toMatchObject({ allowed: false, why: 'there is no backup redis_gone' });
    expect(plan(asked('redis_gone')).hint).toContain(backup);
    expect(plan(asked('redis_half')).why).toContain('its data is gone');
    // Of a store that does not answer nothing is known: what carries it out says more.
    const unread = plan(asked('redis_gone'), {}, { holds: null, unread: 'connect ECONNREFUSED' });
    expect(unread).toMatchObject({
      allowed: true,
      warnings: expect.arrayContaining([expect.stringContaining('ECONNREFUSED')]),
    });
  }
});

test('a plan says what it rests on: another one, when the same operation would do something else', () => {
  const before = view();
  const moved = view({ primary: 'redis-2' });
  const basis = (operation: ApiOperation, of: ApiView) => planOf(operation, of, store).basis;
  const changed: ApiOperation[] = [
    ...[{ kind: 'switchover' } as const, { kind: 'switchover', to: 'redis-3' } as const],
    ...[{ kind: 'failover' } as const, { kind: 'restart' } as const],
    { kind: 'restart', process: 'redis-1' },
  ];
  for (const each of changed) expect(basis(each, moved), JSON.stringify(each)).not.toBe(basis(each, before));
  const same: ApiOperation[] = [
    { kind: 'restart', process: 'gate-1' },
    { kind: 'backup' },
    { kind: 'pause' },
  ];
  for (const each of same) expect(basis(each, moved), JSON.stringify(each)).toBe(basis(each, before));
  expect(basis({ kind: 'pause' }, view({ paused: true }))).not.toBe(basis({ kind: 'pause' }, before));
  const keys = (many: number) => view({ members: [member(1, { keys: many }), member(2), member(3)] });
  const restore: ApiOperation = { kind: 'restore', backup };
  expect(basis(restore, keys(5))).toBe(basis(restore, keys(6)));
  expect(basis(restore, keys(5))).not.toBe(basis(restore, keys(0)));
});

test('what was approved is done, or nothing is', () => {
  const now = plan({ kind: 'switchover' }, { primary: 'redis-2' });
  expect(() => demandAsApproved(now, 'redis-2 is primary')).not.toThrow();
  // Whoever asked for no plan takes it as it is.
  expect(() => demandAsApproved(now, undefined)).not.toThrow();
  expect(() => demandAsApproved(now, 'redis-1 is primary')).toThrow(/redis-2 is primary/);
  const refused = plan({ kind: 'switchover', to: 'redis-2' }, { primary: 'redis-2' });
  expect(() => demandAsApproved(refused, 'redis-1 is primary')).toThrow(/is the primary already/);
});

test('what a plan says of giving up is what its job says', () => {
  expect(plan({ kind: 'failover' }).cancellable).toBe(true);
  expect(plan({ kind: 'pause' }).cancellable).toBe(false);
});

test('a member whose start would lose data is started only when that is accepted', () => {
  const refusal = 'redis-1 had data, and its files are gone';
  const members = [member(1, { state: 'down', refusal, refusalCode: 'would-wipe' }), member(2), member(3)];
  const restart: ApiOperation = { kind: 'restart', process: 'redis-1' };
  expect(plan(restart, { members })).toMatchObject({ allowed: false, why: refusal });
  const accepted = plan({ ...restart, acceptDataLoss: true }, { members });
  expect(accepted).toMatchObject({ allowed: true, warnings: [expect.stringMatching(/old or gone/)] });
});
