/** Views such as an agent could have, for property tests: any mixture of deaths, silence, roles and disagreement. */
import fc from 'fast-check';
import { unknownActivity } from '../../src/topology/activity.ts';
import type { DecideRules } from '../../src/topology/decision.ts';
import type { MemberView, SentinelView, View } from '../../src/topology/view.ts';
import { aDeadMember, aGate, aliveProcess, aReplica, aSentinel, deadProcess, loading } from './views.ts';

/** The instant at which the views are looked at. */
export const nowMs = 1_000_000;

const ids = ['redis-1', 'redis-2', 'redis-3', 'redis-4'];
const anyId = fc.constantFrom(...ids);
const aMomentAgo = fc
  .oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 40_000 }))
  .map((ago) => nowMs - ago);
const seldom = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
const usually = seldom.map((rare) => !rare);

const restartsMs = fc
  .array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 6 })
  .map((agos) => agos.map((ago) => nowMs - ago).sort((a, b) => a - b));

/** What a live process does: mostly nothing that stands out. */
const aliveView = fc.record({
  activity: fc.oneof(
    { weight: 40, arbitrary: fc.constant(unknownActivity) },
    {
      weight: 1,
      arbitrary: fc.record({
        stoppedMs: fc.constantFrom(0, 0, 499, 500, 9000),
        waitingMs: fc.constantFrom(0, 0, 499, 500, 9000),
        computingMs: fc.constantFrom(0, 499, 500, 9000),
      }),
    },
  ),
  silentMs: fc.oneof(
    { weight: 40, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(999, 5000, 9000) },
  ),
});

const deadView = fc.record({
  diedAtMs: fc.option(aMomentAgo, { freq: 9 }),
  restartsMs: fc.oneof(fc.constant([]), restartsMs),
  failed: seldom,
  ending: seldom,
  refusal: fc.option(
    fc.record({
      code: fc.constantFrom('would-be-wiped' as const, 'would-wipe' as const, 'cannot-load' as const),
      about: fc.array(anyId, { maxLength: 2 }),
      reason: fc.constant('it was refused'),
    }),
    { freq: 1 },
  ),
});

const history = fc.constantFrom('h1', 'h2');

const deadMember = fc
  .record({ process: deadView, dataIntact: fc.boolean(), dataStale: seldom, diskKnown: usually, history })
  .map(({ process, history: kept, ...data }) => (id: string): MemberView => {
    return aDeadMember(id, 0, {
      ...data,
      process: deadProcess(0, process),
      kept: data.dataIntact ? { keys: 10, history: kept } : null,
      histories: [],
    });
  });

const endpoint = fc.oneof(
  { weight: 5, arbitrary: anyId.map((id) => ({ address: '127.0.0.1', port: 7100 + Number(id.at(-1)) })) },
  { weight: 1, arbitrary: fc.constant({ address: '10.9.9.9', port: 6379 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);

const liveMember = fc
  .record({
    ours: usually,
    alive: aliveView,
    unansweredMs: fc.constantFrom(0, 0, 400, 500, 9000),
    reachable: usually,
    seenAtMs: aMomentAgo,
    answersSinceMs: fc.option(aMomentAgo, { nil: null }),
    refuses: fc.boolean(),
    silentMs: fc.constantFrom(0, 0, 2000, 4999, 5000, 60_000),
    isLoading: seldom,
    role: fc.constantFrom('primary' as const, 'replica' as const, 'replica' as const),
    follows: endpoint,
    linkUp: fc.boolean(),
    offset: fc.constantFrom(1000, 1000, 1100),
    linkSilentMs: fc.constantFrom(0, 0, 1000, 3000, 5000, 60_000),
    backlogBytes: fc.constantFrom(0, 100),
    synced: usually,
    priority: fc.constantFrom(100, 100, 100, 0),
    heldBack: seldom,
    behindMs: fc.constantFrom(0, 0, 1000, 4000, 20_000),
    caughtUp: usually,
    awaited: usually,
    keys: fc.constantFrom(0, 10, null),
    history,
  })
  .map(
    ({ ours, alive, reachable, silentMs, keys, follows, history: own, isLoading, ...rest }) =>
      (id: string): MemberView => {
        return aReplica(id, {
          ...rest,
          busy: isLoading ? loading : null,
          process: ours ? aliveProcess(alive) : null,
          reachable,
          silentMs: reachable ? 0 : silentMs,
          follows: rest.role === 'replica' ? follows : null,
          keys: reachable ? keys : null,
          histories: reachable ? [own] : [],
        });
      },
  );

const members = fc
  .array(fc.oneof({ weight: 3, arbitrary: liveMember }, { weight: 2, arbitrary: deadMember }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((makers) => makers.map((make, i) => make(ids[i] as string)));

/** Most of them agree on one member, as they do when they can; some have their own mind or none. */
const sentinels = fc
  .record({
    word: anyId,
    each: fc.array(
      fc.record({
        agrees: usually,
        other: fc.option(anyId),
        reachable: usually,
        tilt: seldom,
        saysDown: seldom,
        watchesNothing: seldom,
        forgotLately: usually,
        toldAtMs: fc.option(aMomentAgo, { freq: 1 }),
        failoverInProgress: seldom,
        configEpoch: fc.integer({ min: 0, max: 3 }),
        agreedDownAtMs: fc.option(aMomentAgo, { freq: 1 }),
        primarySilentMs: fc.integer({ min: 0, max: 6000 }),
        process: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: deadView }),
        alive: aliveView,
      }),
      { minLength: 1, maxLength: 5 },
    ),
  })
  .map(({ word, each }) =>
    each.map(({ agrees, other, process, alive, reachable, watchesNothing, ...rest }, i): SentinelView => {
      return aSentinel(`sentinel-${i + 1}`, {
        ...rest,
        primary: agrees ? word : other,
        process: process === null ? aliveProcess(alive) : deadProcess(0, process),
        reachable: reachable && process === null && !watchesNothing,
        watchesNothing: watchesNothing && process === null,
      });
    }),
  );

const mixture: fc.Arbitrary<View> = fc.record({
  name: fc.constant('test'),
  paused: fc.constant(false),
  operation: fc.constant(null),
  givesWay: fc.constant(false),
  operationRests: fc.constant(false),
  helpersKept: fc.constant(true),
  ending: fc.constant(false),
  members,
  sentinels,
  gates: fc.oneof(
    fc.constant([]),
    deadView.map((process) => [aGate('gate-1', { process: deadProcess(0, process) })]),
    aliveView.map((alive) => [aGate('gate-1', { process: aliveProcess(alive) })]),
  ),
  noPrimarySinceMs: fc.option(aMomentAgo),
  selection: fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.record({ member: anyId, atMs: aMomentAgo }) },
  ),
  promoted: fc.option(fc.record({ member: anyId, atMs: aMomentAgo, times: fc.integer({ min: 1, max: 5 }) }), {
    freq: 1,
  }),
  unwilling: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: anyId.map((member) => [{ member, reason: 'NOPERM' }]) },
  ),
  namedSinceMs: fc.option(aMomentAgo, { freq: 4 }),
  vote: fc.option(fc.record({ atMs: aMomentAgo, ours: fc.boolean() }), { freq: 1 }),
  standAgainAtMs: fc.option(fc.oneof(aMomentAgo, fc.constant(nowMs + 50)), { freq: 1 }),
  troubles: fc.constant([]),
});

/** A Sentinel that names nobody of the spec, and a selection of such a one, come to a view as null. */
export const anyView: fc.Arbitrary<View> = mixture.map((view) => {
  const known = (id: string | null | undefined) => view.members.some((member) => member.id === id);
  return {
    ...view,
    sentinels: view.sentinels.map((each) => (known(each.primary) ? each : { ...each, primary: null })),
    selection: known(view.selection?.member) ? view.selection : null,
  };
});

export const anyRules: fc.Arbitrary<DecideRules> = fc.record({
  rank: fc.integer({ min: 0, max: 2 }),
  sentinel: fc.record({ quorum: fc.integer({ min: 1, max: 3 }), detectAfterMs: fc.constantFrom(3000, 8000) }),
  gate: fc.record({ durability: fc.constantFrom('async' as const, 'replicated' as const) }),
  agent: fc.record({
    hangAfterMs: fc.constant(5000),
    restarts: fc.record({ limit: fc.integer({ min: 1, max: 5 }), withinMs: fc.constantFrom(1000, 60_000) }),
  }),
});
