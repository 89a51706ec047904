import { expect, test } from 'vitest';
import {
  aDeadMember,
  aGate,
  aliveProcess,
  aPrimary,
  aReplica,
  aSentinel,
  deadProcess,
  loading,
} from '../../test/support/views.ts';
import type { Activity } from './activity.ts';
import { gateCondition, memberCondition, memberStates, sentinelCondition } from './condition.ts';
import type { MemberView, ProcessView } from './view.ts';

const nowMs = 100_000;
const doing = (activity: Partial<Activity>, changes: Partial<ProcessView> = {}) =>
  aliveProcess({ activity: { stoppedMs: 0, waitingMs: 0, computingMs: 0, ...activity }, ...changes });
const silent = { reachable: false, seenAtMs: nowMs - 2400, silentMs: 2400, unansweredMs: 2400 };
const refusal = { code: 'would-wipe' as const, about: [], reason: 'why' };

const members: [what: string, member: MemberView, state: string, reason: RegExp | null, forMs?: number][] = [
  ['a primary that answers', aPrimary('redis-1'), 'up', null],
  ['a linked replica', aReplica('redis-2'), 'up', null],
  [
    'a process that was started and has not answered yet',
    aReplica('redis-2', { reachable: false, role: null, seenAtMs: nowMs - 300 }),
    'starting',
    /not answered yet/,
    300,
  ],
  ['one that loads its data', aReplica('redis-2', { busy: loading, linkUp: false }), 'loading', /reads its/],
  [
    'one that was stopped by a signal, though its last answer is fresh',
    aPrimary('redis-1', { process: doing({ stoppedMs: 600 }) }),
    'hung',
    /stopped by a signal/,
    600,
  ],
  ['one that is silent', aPrimary('redis-1', silent), 'hung', /process lives/, 2400],
  [
    'one that waits for its disk',
    aPrimary('redis-1', { ...silent, process: doing({ waitingMs: 2000 }) }),
    'hung',
    /disk/,
    2400,
  ],
  [
    'one that computes and does not answer',
    aPrimary('redis-1', { ...silent, process: doing({ computingMs: 2000 }) }),
    'busy',
    /slow command/,
    2400,
  ],
  [
    'one that runs a script',
    aPrimary('redis-1', { busy: { code: 'script', sinceMs: nowMs - 9000 } }),
    'busy',
    /script/,
    9000,
  ],
  [
    'one that is paused, while it is asked again',
    aPrimary('redis-1', { busy: { code: 'paused', sinceMs: nowMs - 50 }, unansweredMs: 1500 }),
    'busy',
    /PAUSE/,
    50,
  ],
  [
    'a replica that copies everything',
    aReplica('redis-2', { linkUp: false, syncing: true }),
    'syncing',
    /copies/,
  ],
  ['a replica without its link', aReplica('redis-2', { linkUp: false }), 'disconnected', /no link/],
  ['one that died', aDeadMember('redis-2', nowMs - 70), 'down', /does not run/, 70],
  [
    'one whose connection just broke',
    aReplica('redis-2', { reachable: false, seenAtMs: nowMs - 200 }),
    'down',
    /broke/,
    200,
  ],
  [
    'one of another host that does not answer',
    aReplica('redis-2', { reachable: false, process: null, lastAnswer: { atMs: nowMs - 5000, offset: 1 } }),
    'unreachable',
    /does not answer/,
    5000,
  ],
  [
    'one of another host where nobody listens',
    aReplica('redis-2', { reachable: false, process: null, refuses: true, lastAnswer: null }),
    'down',
    /nobody listens/,
  ],
  [
    'one that was given up',
    aDeadMember('redis-2', 0, { process: deadProcess(0, { failed: true }) }),
    'failed',
    /used up/,
  ],
  [
    'one that was refused',
    aDeadMember('redis-2', 0, { process: deadProcess(0, { refusal }) }),
    'refused',
    /why/,
  ],
];

test.each(members)('%s has a word of its own, and why', (_what, member, state, reason, forMs) => {
  const found = memberCondition(member, nowMs);
  expect(found.state).toBe(state);
  if (reason === null) expect(found.reason).toBeNull();
  else expect(found.reason).toMatch(reason);
  if (forMs !== undefined) expect(found.forMs).toBe(forMs);
});

test('every word is one that a case above has', () => {
  expect(new Set(members.map(([, , state]) => state))).toEqual(new Set(memberStates));
});

test('a Sentinel that answered before is not starting, one whose process is new is', () => {
  const of = (process: Partial<ProcessView>, change = {}) =>
    sentinelCondition(
      aSentinel('sentinel-1', { reachable: false, process: aliveProcess(process), ...change }),
      nowMs,
    );
  expect(of({ answered: true, silentMs: 3000 })).toMatchObject({ state: 'hung', forMs: 3000 });
  expect(of({ answered: false })).toMatchObject({ state: 'starting' });
  expect(of({ answered: false, startedHere: true, silentMs: 19_000 })).toMatchObject({ state: 'starting' });
  expect(of({ running: false, diedAtMs: nowMs - 10 })).toMatchObject({ state: 'down', forMs: 10 });
  expect(of({ failed: true })).toMatchObject({ state: 'failed' });
  expect(of({}, { reachable: true, tilt: true })).toMatchObject({ state: 'tilt' });
  expect(of({}, { process: null, answeredAtMs: nowMs - 7 })).toMatchObject({
    state: 'unreachable',
    forMs: 7,
  });
});

test('a gate that does not answer is starting, hung or down, and one that answers says why it holds', () => {
  const of = (process: Partial<ProcessView>, change = {}) =>
    gateCondition(aGate('gate-1', { state: 'down', process: aliveProcess(process), ...change }), nowMs);
  expect(of({ answered: true, silentMs: 6000 })).toMatchObject({ state: 'hung', forMs: 6000 });
  expect(of({ answered: false })).toMatchObject({ state: 'starting' });
  expect(of({ answered: false, startedHere: true, silentMs: 19_000 })).toMatchObject({ state: 'starting' });
  expect(of({ running: false })).toMatchObject({ state: 'down' });
  expect(of({}, { process: null })).toMatchObject({ state: 'down' });
  // Of another host: it takes connections, so that its process lives.
  expect(of({}, { process: null, reason: 'it does not answer' })).toMatchObject({ state: 'hung' });
  const holding = of({}, { state: 'holding', reason: 'the primary is lost' });
  expect(holding).toEqual({ state: 'holding', reason: 'the primary is lost', forMs: null });
});
