import { expect, test } from 'vitest';
import {
  aDeadMember,
  aPrimary,
  aReplica,
  aView,
  deadProcess,
  threeSentinels,
} from '../../../test/support/views.ts';
import { statusOf } from './status-answer.ts';

const nowMs = 100_000;

test('of those who answer everything is of now', () => {
  const { state, members, sentinels } = statusOf(aView(), nowMs);
  expect(state).toBe('healthy');
  expect([...members, ...sentinels].map(({ seenAgeMs }) => seenAgeMs)).toEqual([
    ...members.map(() => null),
    ...sentinels.map(() => null),
  ]);
});

test('what a Sentinel that is down named is told with its age, and is nobody’s word', () => {
  const down = { reachable: false, answeredAtMs: nowMs - 12_000, primary: 'redis-1' };
  const sentinels = threeSentinels([down, { primary: 'redis-2' }, { primary: 'redis-2' }]);
  const status = statusOf(aView({ sentinels, members: [aReplica('redis-1'), aPrimary('redis-2')] }), nowMs);
  expect(status.primary).toBe('redis-2');
  expect(status.sentinels[0]).toMatchObject({ state: 'hung', primary: 'redis-1', seenAgeMs: 12_000 });
  expect(status.sentinels[1]).toMatchObject({ state: 'up', primary: 'redis-2', seenAgeMs: null });
});

test('a member that died has the offset that it had, with its age; one that never answered has none', () => {
  const lastAnswer = { atMs: nowMs - 3000, offset: 900 };
  const died = aDeadMember('redis-2', nowMs, { process: deadProcess(nowMs), lastAnswer, offset: 0 });
  const unknown = aReplica('redis-3', { reachable: false, lastAnswer: null });
  const { members } = statusOf(aView({ members: [aPrimary('redis-1'), died, unknown] }), nowMs);
  expect(members[1]).toMatchObject({ state: 'down', role: null, offset: 900, seenAgeMs: 3000 });
  expect(members[2]).toMatchObject({ role: null, offset: 0, seenAgeMs: null });
});

test('a member that is not started says why, by a code and in words', () => {
  const refusal = { code: 'would-wipe' as const, about: ['redis-2'], reason: 'redis-1 is not started' };
  const member = aDeadMember('redis-1', nowMs, { process: deadProcess(nowMs, { refusal }) });
  const { members, problems } = statusOf(aView({ members: [member, aReplica('redis-2')] }), nowMs);
  expect(members[0]).toMatchObject({ refusal: 'redis-1 is not started', refusalCode: 'would-wipe' });
  expect(problems).toContain('redis-1 is not started');
});

test('a mirror that failed makes the deployment degraded, with why', () => {
  const trouble = 'the mirror dr failed: no room';
  const mirror = {
    ...{ name: 'dr', to: 'redis://dr:6379', host: 'a', state: 'failed' as const, keys: 0, bytes: 0 },
    ...{
      totalBytes: null,
      bytesPerSecond: 0,
      secondsLeft: null,
      lagBytes: null,
      lagSeconds: null,
      queueBytes: null,
      queueSeconds: null,
    },
    ...{ problem: 'no room', trouble },
  };
  expect(statusOf(aView(), nowMs, null, [], [mirror])).toMatchObject({
    state: 'degraded',
    problems: [trouble],
  });
  const elsewhere = { ...mirror, trouble: null };
  expect(statusOf(aView(), nowMs, null, [], [elsewhere])).toMatchObject({ state: 'healthy', problems: [] });
});

test('a mirror of requests that can’t be reached does, too', () => {
  const counts = { copied: 0, dropped: 4, failed: 0, errors: {}, readP99Ms: 0, writeP99Ms: 0, own: null };
  const line = (state: 'open' | 'waiting' | null) => ({
    ...{ name: 'next', to: 'redis://next:6379', state, reason: state === 'waiting' ? 'ECONNREFUSED' : null },
    ...counts,
  });
  expect(statusOf(aView(), nowMs, null, [], [], [line('waiting')])).toMatchObject({
    state: 'degraded',
    problems: [expect.stringMatching(/mirror next gets no copies of requests.*ECONNREFUSED/)],
  });
  for (const state of ['open', null] as const)
    expect(statusOf(aView(), nowMs, null, [], [], [line(state)])).toMatchObject({ state: 'healthy' });
});

test('a primary that the Sentinels do not name yet, and that gates write to, serves: degraded, with the reason', () => {
  const { address, port } = aPrimary('redis-2');
  const follows = { address, port };
  const members = [aReplica('redis-1', { follows }), aPrimary('redis-2'), aReplica('redis-3', { follows })];
  const troubles = ['redis-2 was made primary by election and serves'];
  const { state, primary, problems } = statusOf(aView({ members, troubles }), nowMs);
  expect([state, primary]).toEqual(['degraded', 'redis-2']);
  expect(problems).toContain('redis-2 serves as primary, and the Sentinels name redis-1');
  expect(problems).toContain(troubles[0]);
  const gates = aView().gates.map((gate) => ({ ...gate, state: 'holding' as const }));
  expect(statusOf(aView({ members, gates }), nowMs)).toMatchObject({ state: 'down', primary: 'redis-1' });
});
