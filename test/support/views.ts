/** Views for tests of deciding: a healthy deployment on one host, and what is changed of it. */
import { unknownActivity } from '../../src/topology/activity.ts';
import type { Busy, GateView, MemberView, ProcessView, SentinelView, View } from '../../src/topology/view.ts';

export function aliveProcess(changes: Partial<ProcessView> = {}): ProcessView {
  return {
    running: true,
    ending: false,
    pid: 100,
    diedAtMs: null,
    restartsMs: [],
    failed: false,
    refusal: null,
    activity: unknownActivity,
    startedHere: false,
    silentMs: 0,
    answered: true,
    damage: null,
    noRoom: null,
    ...changes,
  };
}

export function deadProcess(diedAtMs: number, changes: Partial<ProcessView> = {}): ProcessView {
  return aliveProcess({ running: false, pid: null, diedAtMs, ...changes });
}

const address = '127.0.0.1';
const portOf = (id: string) => 7100 + Number(id.at(-1));

export const loading: Busy = { code: 'loading', sinceMs: 0 };

/** A replica of redis-1 that is in sync. */
export function aReplica(id: string, changes: Partial<MemberView> = {}): MemberView {
  return {
    id,
    host: 'local',
    address,
    port: portOf(id),
    process: aliveProcess(),
    reachable: true,
    seenAtMs: 0,
    answersSinceMs: 0,
    lastAnswer: { atMs: 0, offset: 1000 },
    refuses: false,
    silentMs: 0,
    unansweredMs: 0,
    busy: null,
    locksOut: null,
    role: 'replica',
    lastRole: 'replica',
    follows: { address, port: portOf('redis-1') },
    linkUp: true,
    linkSilentMs: 0,
    backlogBytes: 0,
    synced: true,
    syncing: false,
    offset: 1000,
    priority: 100,
    heldBack: false,
    behindMs: 0,
    caughtUp: true,
    awaited: true,
    inSync: null,
    toldIn: 0,
    fenced: false,
    word: null,
    heard: true,
    keys: 10,
    memory: { level: 'ample', maxBytes: 0, policy: 'noeviction', refused: 0 },
    storeFails: false,
    writes: null,
    diskKnown: true,
    dataIntact: true,
    dataStale: false,
    histories: ['h1'],
    kept: null,
    ...changes,
  };
}

export function aPrimary(id: string, changes: Partial<MemberView> = {}): MemberView {
  return aReplica(id, {
    role: 'primary',
    lastRole: 'primary',
    follows: null,
    linkUp: false,
    synced: false,
    ...changes,
  });
}

/** A member of this host whose process died, as the agent sees it: nothing is known of it any more. */
export function aDeadMember(id: string, diedAtMs: number, changes: Partial<MemberView> = {}): MemberView {
  return aReplica(id, {
    process: deadProcess(diedAtMs),
    reachable: false,
    role: null,
    follows: null,
    linkUp: false,
    synced: false,
    offset: 0,
    keys: null,
    memory: null,
    ...changes,
  });
}

export function aSentinel(id: string, changes: Partial<SentinelView> = {}): SentinelView {
  return {
    id,
    host: 'local',
    address,
    port: 7200 + Number(id.at(-1)),
    process: aliveProcess(),
    reachable: true,
    answeredAtMs: 0,
    primary: 'redis-1',
    configEpoch: 1,
    agreedDownAtMs: null,
    primarySilentMs: 0,
    failoverInProgress: false,
    tilt: false,
    saysDown: false,
    watchesNothing: false,
    forgotLately: false,
    toldAtMs: null,
    namesSinceMs: 0,
    ...changes,
  };
}

export function aGate(id: string, changes: Partial<GateView> = {}): GateView {
  const port = 7000;
  return {
    id,
    host: 'local',
    address,
    port,
    replicaPort: port + 1,
    process: aliveProcess(),
    state: 'open',
    reason: null,
    clients: 0,
    ...changes,
  };
}

/** Three members, redis-1 the primary, three Sentinels that name it, one gate; nothing is wrong. */
export function aView(changes: Partial<View> = {}): View {
  return {
    name: 'test',
    paused: false,
    operation: null,
    givesWay: false,
    operationRests: false,
    helpersKept: true,
    ending: false,
    members: [aPrimary('redis-1'), aReplica('redis-2'), aReplica('redis-3')],
    sentinels: threeSentinels(),
    gates: [aGate('gate-1')],
    noPrimarySinceMs: null,
    selection: null,
    promoted: null,
    unwilling: [],
    namedSinceMs: null,
    vote: null,
    standAgainAtMs: null,
    troubles: [],
    ...changes,
  };
}

/** The same change for each, or one for each by index. */
export function threeSentinels(
  changes: Partial<SentinelView> | Partial<SentinelView>[] = {},
): SentinelView[] {
  return ['sentinel-1', 'sentinel-2', 'sentinel-3'].map((id, index) =>
    aSentinel(id, Array.isArray(changes) ? changes[index] : changes),
  );
}
