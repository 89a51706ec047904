/** A deployment as the API tells of it, made up: for pictures and tests of the page in every state. Pure. */
import type { ApiEvent } from '../../../src/api/events.ts';
import type { ApiGate, ApiHost, ApiMember, ApiSentinel, ApiView } from '../../../src/api/view.ts';

/** The same instant in every picture. */
export const nowMs = Date.UTC(2026, 2, 14, 9, 26, 53, 589);

export function at(secondsAgo: number): string {
  return new Date(nowMs - 1000 * secondsAgo).toISOString();
}

const MiB = 1024 * 1024;

export function member(number: number, change: Partial<ApiMember> = {}): ApiMember {
  const isPrimary = number === 1;
  return {
    id: `redis-${number}`,
    host: ['a', 'b', 'c'][(number - 1) % 3] ?? 'a',
    address: `10.0.1.${54 + number}`,
    port: 6379,
    role: isPrimary ? 'primary' : 'replica',
    state: 'up',
    reason: null,
    stateForMs: null,
    ageMs: null,
    pid: 4100 + number,
    follows: isPrimary ? null : 'redis-1',
    linkUp: true,
    offset: 1_284_993_201,
    lagBytes: 0,
    lagMs: 0,
    eligible: true,
    priority: 100,
    keys: 482_117,
    clients: isPrimary ? 14 : 9,
    commandsPerSecond: isPrimary ? 18_420 : 6102,
    evictedKeys: 0,
    memory: { usedBytes: 1392 * MiB, maxBytes: 2048 * MiB, rssBytes: 1510 * MiB, fragmentation: 1.08 },
    persistence: {
      savedAt: at(1840),
      saving: false,
      saveOk: true,
      aofOk: true,
      rewriting: false,
      unsavedChanges: 20_418,
    },
    restarts: 0,
    version: 'redis 7.0.15',
    refusal: null,
    refusalCode: null,
    trouble: null,
    troubleCode: null,
    ...change,
  };
}

export function sentinel(number: number, change: Partial<ApiSentinel> = {}): ApiSentinel {
  return {
    id: `sentinel-${number}`,
    host: ['a', 'b', 'c'][(number - 1) % 3] ?? 'a',
    address: `10.0.1.${54 + number}`,
    port: 26_379,
    state: 'up',
    reason: null,
    stateForMs: null,
    ageMs: null,
    pid: 4200 + number,
    names: 'redis-1',
    epoch: 3,
    agreesDown: false,
    failover: false,
    voted: { epoch: 3, ours: true, at: at(86_000) },
    ...change,
  };
}

export function gate(number: number, change: Partial<ApiGate> = {}): ApiGate {
  return {
    id: `gate-${number}`,
    host: ['a', 'b', 'c'][(number - 1) % 3] ?? 'a',
    address: `10.0.1.${54 + number}`,
    port: 6380,
    replicaPort: 6381,
    kind: 'gate',
    state: 'open',
    reason: null,
    stateForMs: null,
    ageMs: null,
    pid: 4300 + number,
    primary: 'redis-1',
    primarySince: at(86_000),
    clients: number === 1 ? 212 : 188,
    held: 0,
    commandsPerSecond: number === 1 ? 16_214 : 14_310,
    errorsPerSecond: 0.4,
    bytesInPerSecond: 2.1 * MiB,
    bytesOutPerSecond: 4.6 * MiB,
    latency: { read: { p50Ms: 0.34, p99Ms: 1.9 }, write: { p50Ms: 0.41, p99Ms: 2.4 } },
    classes: { read: 9210, write: 6420, transaction: 412, blocking: 96, pubsub: 76 },
    commands: { get: 81_220_341, set: 40_112_903, hget: 22_110_222, expire: 8_210_113, exec: 1_022_119 },
    errors: { WRONGTYPE: 212, MOVED: 0, NOSCRIPT: 41 },
    uncertain: 3,
    connections: { shared: 8, private: 31 },
    sentinelsSeen: 3,
    memoryBytes: 96 * MiB,
    cpuShare: 0.31,
    ...change,
  };
}

export function host(id: string, change: Partial<ApiHost> = {}): ApiHost {
  return {
    id,
    address: `10.0.1.${{ a: 55, b: 56, c: 57 }[id] ?? 58}`,
    agent: id === 'a' ? 'here' : 'up',
    missing: null,
    ageMs: null,
    version: '0.1.0',
    startedAt: at(410_000),
    memoryBytes: 88 * MiB,
    cpuShare: 0.02,
    load: 0.41,
    disk: { freeBytes: 61_000 * MiB, totalBytes: 100_000 * MiB },
    ...change,
  };
}

export function view(change: Partial<ApiView> = {}): ApiView {
  const gates = change.gates ?? [gate(1), gate(2)];
  const sum = (pick: (each: ApiGate) => number | null) =>
    gates.reduce((total, each) => total + (pick(each) ?? 0), 0);
  return {
    name: 'orders',
    at: new Date(nowMs).toISOString(),
    host: 'a',
    seq: 9,
    jobs: 'a:1,b:0,c:0',
    events: String(change.seq ?? 9),
    state: 'healthy',
    problems: [],
    primary: 'redis-1',
    epoch: 3,
    quorum: 2,
    paused: false,
    promoting: null,
    noPrimaryMs: null,
    operation: null,
    clients: {
      connected: sum(({ clients }) => clients),
      held: sum(({ held }) => held),
      commandsPerSecond: sum(({ commandsPerSecond }) => commandsPerSecond),
      errorsPerSecond: sum(({ errorsPerSecond }) => errorsPerSecond),
      latency: { read: { p50Ms: 0.34, p99Ms: 1.9 }, write: { p50Ms: 0.41, p99Ms: 2.4 } },
    },
    members: [member(1), member(2), member(3)],
    sentinels: [sentinel(1), sentinel(2), sentinel(3)],
    hosts: [host('a'), host('b'), host('c')],
    drift: [],
    moves: { mirrors: 0, migrations: 0, unwell: 0, troubles: [] },
    backup: {
      lastGoodId: 'redis_orders_20260314T080000Z_0a1b2c',
      lastGoodAt: at(5213),
      ageMs: 5_213_000,
      nextAt: at(-9187),
      lastError: null,
      lastVerifiedAt: at(90_000),
      lastVerifiedGood: true,
      running: false,
      unread: false,
    },
    ...change,
    gates,
  };
}

/** A crash of the primary, 96 s ago, and what came of it. @param to who is primary then. */
export function crashEvents(to = 'redis-2'): ApiEvent[] {
  const steps: readonly (readonly [ms: number, kind: string, subject: string, text: string])[] = [
    [-412_000_000, 'first-start', 'redis-1', 'first start on this host; redis-1 is to begin as primary'],
    [-411_999_000, 'primary', 'redis-1', 'the Sentinels name redis-1 primary'],
    [-411_998_000, 'ready', 'orders', 'the deployment takes writes'],
    [0, 'exited', 'redis-1', 'redis-1 (pid 4101) was ended by SIGKILL'],
    [2, 'election', 'orders', 'redis-1 is dead: this agent stands for election in epoch 4'],
    [14, 'promoted', to, `elected in epoch 4, this agent made ${to} primary`],
    [19, 'primary', to, `the Sentinels name ${to} primary`],
    [24, 'redirected', 'redis-3', `redis-3 follows ${to} now`],
    [212, 'restart', 'redis-1', 'redis-1 is started again, as a replica'],
    [1874, 'replica-eligible', 'redis-1', 'redis-1 has caught up and may be promoted'],
  ];
  return steps.map(([ms, kind, subject, text], index) => ({
    seq: index + 1,
    at: new Date(nowMs - 96_000 + ms).toISOString(),
    kind,
    subject,
    text,
    host: 'a',
  }));
}

/** The view after that crash, with redis-1 back as a replica. */
export function viewAfterCrash(): ApiView {
  return view({
    seq: 10,
    primary: 'redis-2',
    epoch: 4,
    members: [
      member(1, {
        role: 'replica',
        follows: 'redis-2',
        commandsPerSecond: 6102,
        restarts: 1,
        lagBytes: 2210,
        lagMs: 4,
      }),
      member(2, { role: 'primary', follows: null, commandsPerSecond: 18_420 }),
      member(3, { follows: 'redis-2' }),
    ],
    sentinels: [1, 2, 3].map((number) => sentinel(number, { names: 'redis-2', epoch: 4 })),
    gates: [1, 2].map((number) => gate(number, { primary: 'redis-2', primarySince: at(96) })),
  });
}
