/** What the API answers beside the view, made up. Every answer fits its schema: a test looks. Pure. */
import type { ApiSession } from '../../../src/api/access.ts';
import type { ApiClients, ApiMemberDetails } from '../../../src/api/details.ts';
import type { ApiBackups, ApiDoctor, ApiDrills, ApiSpec } from '../../../src/api/findings.ts';
import type { ApiHistory } from '../../../src/api/history.ts';
import type { ApiJob, ApiPlan } from '../../../src/api/jobs.ts';
import type { ApiMigrations, ApiMirrors } from '../../../src/api/moves.ts';
import type { ApiView } from '../../../src/api/view.ts';
import { at, nowMs } from './example.ts';

export const operate: ApiSession = { role: 'operate', by: 'ada', until: at(-3600), loginNeeded: false };
export const look: ApiSession = { role: null, by: null, until: null, loginNeeded: false };
export const closed: ApiSession = { role: null, by: null, until: null, loginNeeded: true };

/** The same waves every time, without chance. */
function wave(index: number, period: number, low: number, high: number): number {
  const ripple = Math.sin(index / 3.1) * 0.06 + Math.sin(index / 7.7) * 0.05;
  return low + (high - low) * (0.5 + 0.5 * Math.sin(index / period) * 0.9 + ripple);
}

const histories = new Map<string, ApiHistory>();

/** The same again for the same question: a page asks every second. @param outageAgoS when nothing went through for a second; null for never. */
export function history(step: '1s' | '1m', view: ApiView, outageAgoS: number | null): ApiHistory {
  const key = `${step} ${view.primary} ${view.members.length} ${outageAgoS}`;
  const there = histories.get(key);
  if (there !== undefined) return there;
  const made = makeHistory(step, view, outageAgoS);
  histories.set(key, made);
  return made;
}

function makeHistory(step: '1s' | '1m', view: ApiView, outageAgoS: number | null): ApiHistory {
  const stepMs = step === '1s' ? 1000 : 60_000;
  const samples = step === '1s' ? 3600 : 7 * 24 * 60;
  const times = Array.from({ length: samples }, (_, index) => nowMs - (samples - 1 - index) * stepMs);
  const isOut = (time: number) =>
    outageAgoS !== null && Math.abs(nowMs - 1000 * outageAgoS - time) < stepMs / 2;
  const series = (make: (index: number, time: number) => number) =>
    times.map((time, index) => make(index, time));
  const rounded = (value: number) => Math.round(value * 100) / 100;
  return {
    stepMs,
    at: times,
    deployment: {
      commandsPerSecond: series((i, time) =>
        Math.round(wave(i, 90, 24_000, 36_000) * (isOut(time) ? 0.93 : 1)),
      ),
      errorsPerSecond: series((i) => rounded(Math.max(0, wave(i, 41, -0.6, 0.9)))),
      clients: series((i) => Math.round(wave(i, 300, 384, 412))),
      held: series((_, time) => (isOut(time) ? 212 : 0)),
      p50Ms: series((i) => rounded(wave(i, 70, 0.3, 0.42))),
      p99Ms: series((i, time) => (isOut(time) ? 24 : rounded(wave(i, 50, 1.4, 2.8)))),
    },
    members: Object.fromEntries(
      view.members.map(({ id, role }, number) => [
        id,
        {
          lagBytes: series((i) =>
            role === 'primary' ? 0 : Math.round(Math.max(0, wave(i + 40 * number, 23, -900, 3200))),
          ),
          memoryBytes: series((i) => Math.round(1.32e9 + 4e4 * i * (step === '1s' ? 1 : 0.4) + 9e6 * number)),
          commandsPerSecond: series((i) => Math.round(wave(i, 90, 6000, 18_000))),
          keys: series((i) => 482_117 + i),
        },
      ]),
    ),
  };
}

export function clients(view: ApiView, many = 40): ApiClients {
  const names = ['checkout', 'cart', 'search', 'sessions', 'mailer', 'reports', ''];
  return {
    total: many,
    missing: [],
    clients: Array.from({ length: many }, (_, index) => ({
      gate: view.gates[index % Math.max(1, view.gates.length)]?.id ?? 'gate-1',
      address: `10.0.2.${10 + (index % 200)}:${40_000 + index}`,
      name: names[index % names.length] ?? '',
      user: index % 5 === 0 ? 'reports' : 'app',
      port: index % 5 === 0 ? ('read-only' as const) : ('read-write' as const),
      ageMs: 1000 * (index + 1) * 97,
      lastCommand: ['get', 'set', 'hget', 'expire', 'exec'][index % 5] ?? 'get',
      held: false,
      private: index % 9 === 0,
      db: 0,
    })),
  };
}

export function memberDetails(view: ApiView, id: string): ApiMemberDetails {
  const { host, address, port } = view.members.find((member) => member.id === id) ?? view.members[0]!;
  return {
    ...{ id, host, address, port },
    at: at(0),
    info: {
      Server: { redis_version: '7.0.15', uptime_in_seconds: '410022', executable: '/usr/bin/redis-server' },
      Stats: { total_connections_received: '10213', instantaneous_ops_per_sec: '18420' },
    },
    keyspace: [{ db: 0, keys: 482_117, expiring: 120_441 }],
    memory: { 'peak.allocated': 1.51e9, 'dataset.bytes': 1.2e9 },
    slowLog: [
      { at: at(220), tookMs: 41.2, command: 'SORT', client: '10.0.2.31:40021', clientName: 'reports' },
      { at: at(1900), tookMs: 18.9, command: 'SMEMBERS', client: '10.0.2.31:40021', clientName: 'reports' },
      { at: at(4100), tookMs: 12.4, command: 'EVAL', client: '10.0.2.12:40002', clientName: '' },
    ],
    clients: Array.from({ length: 14 }, (_, index) => ({
      id: String(300 + index),
      address:
        index === 3
          ? '/var/lib/holdfast/orders/members/redis-2/sock:0'
          : `10.0.1.${55 + (index % 3)}:${52_000 + index}`,
      name: index % 3 === 0 ? 'holdfast-gate' : '',
      user: index % 3 === 0 ? 'gate' : 'agent',
      kind: index === 1 || index === 2 ? ('replica' as const) : ('normal' as const),
      db: 0,
      ageMs: 410_000,
      idleMs: index * 11,
      command: index === 1 || index === 2 ? 'replconf' : 'get',
      memoryBytes: 22_000,
    })),
    clientsTotal: 14,
  };
}

export const doctor: ApiDoctor = {
  at: at(12),
  missing: [],
  findings: [
    {
      ...{ check: 'overcommit-memory', severity: 'critical', host: 'b', subject: null, fixable: true },
      found: 'vm.overcommit_memory is 0 on b',
      why: 'A background save of a large dataset can fail for want of memory that is never used.',
      fix: 'Set vm.overcommit_memory = 1 in /etc/sysctl.d/, and load it.',
      link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/admin/',
    },
    {
      ...{ check: 'huge-pages', severity: 'warning', host: 'a', subject: null, fixable: true },
      found: 'transparent huge pages are always used on a',
      why: 'Each save then copies more memory than was changed, and clients wait for it.',
      fix: 'Write madvise to /sys/kernel/mm/transparent_hugepage/enabled, at every start of the machine.',
      link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/admin/',
    },
    {
      ...{ check: 'disk-space', severity: 'ok', host: 'a', subject: null, fixable: false, fix: null },
      found: '59 GiB of 97 GiB are free',
      why: 'A rewrite of the AOF needs room for another copy.',
      link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/',
    },
  ],
};

export const backups: ApiBackups = {
  store: 's3://orders-backup/redis',
  schedule: '0 4 * * *',
  broken: [],
  backups: [0, 1, 2, 3].map((day) => ({
    id: `redis_orders_2026031${4 - day}T040000Z_0a1b2${day}`,
    startedAt: at(19_613 + day * 86_400),
    durationMs: 8210 - 190 * day,
    keys: 482_117 - 4120 * day,
    rdbBytes: 911_000_000,
    storedBytes: 402_000_000 - 3_100_000 * day,
    source: 'redis-3',
    reason: day === 2 ? ('manual' as const) : ('schedule' as const),
    serverVersion: 'redis 7.0.15',
    compression: 'zstd' as const,
    encrypted: true,
    verified: day === 0 ? null : { at: at(15_000 + day * 86_400), good: true, problems: [] },
  })),
};

export const drills: ApiDrills = {
  scenarios: [
    {
      name: 'primary-crash',
      about: 'The primary is killed. No acknowledged write is lost, no client sees an error.',
    },
    { name: 'primary-hang', about: 'The primary stops answering. It is fenced, and another is promoted.' },
    { name: 'switchover', about: 'The primary is moved as planned. No client sees an error.' },
  ],
  runs: [
    {
      ...{ id: 'j7', host: 'a', scenario: 'primary-crash', at: at(7200), kept: true },
      page: '/api/drills/j7/page',
    },
    { id: 'j5', host: 'b', scenario: 'switchover', at: at(8100), kept: true, page: null },
    { id: 'j4', host: 'a', scenario: 'primary-hang', at: at(9400), kept: null, page: null },
  ],
  missing: [],
};

export function spec(view: ApiView): ApiSpec {
  return {
    missing: [],
    drift: view.drift,
    spec: {
      name: view.name,
      hosts: { a: { address: '10.0.1.55' }, b: { address: '10.0.1.56' }, c: { address: '10.0.1.57' } },
      redis: { on: ['a', 'b', 'c'], port: 6379, maxmemory: '2gb', persistence: 'aof' },
      sentinel: { on: ['a', 'b', 'c'], port: 26_379, quorum: 2, detectAfter: '2s' },
      gate: { on: ['a', 'b'], port: 6380, replicaPort: 6381, durability: 'replicated', hold: '10s' },
      backup: { store: 's3://orders-backup/redis', schedule: '0 4 * * *', keep: 7 },
    },
  };
}

export function plan(change: Partial<ApiPlan> = {}): ApiPlan {
  return {
    allowed: true,
    why: null,
    hint: null,
    will: [
      'The Sentinels vote, which disturbs nothing.',
      'The gates hold writes until redis-2 has all that redis-1 has.',
      'redis-2 becomes primary, the others follow it, and the gates send it what they held.',
    ],
    warnings: [],
    cancellable: true,
    basis: 'redis-1 is primary',
    ...change,
  };
}

export function job(change: Partial<ApiJob> = {}): ApiJob {
  // It has ended before the view was made that the page gets.
  const begun = (ms: number) => new Date(nowMs - 40 + ms).toISOString();
  const step = (ms: number, text: string) => ({ at: begun(ms), text });
  return {
    id: 'j9',
    host: 'a',
    kind: 'switchover',
    request: { kind: 'switchover', to: 'redis-2' },
    by: 'ada',
    state: 'done',
    startedAt: begun(0),
    endedAt: begun(31),
    steps: [
      step(1, 'standing for election in epoch 4'),
      step(9, 'elected by 3 of 3 Sentinels'),
      step(12, 'the gates hold writes'),
      step(15, 'redis-2 has all that redis-1 has'),
      step(19, 'redis-2 is primary'),
      step(31, 'all Sentinels name redis-2'),
    ],
    progress: null,
    result: { from: 'redis-1', to: 'redis-2', heldMs: 7, tookMs: 31 },
    error: null,
    cancellable: false,
    ...change,
  };
}

/** As many as the view says. */
export function mirrors({ moves }: ApiView): ApiMirrors {
  const still = {
    ...{
      keys: 482_117,
      bytes: 0,
      totalBytes: null,
      secondsLeft: null,
      problem: null,
      queueBytes: 0,
      queueMs: 0,
    },
  };
  const all: ApiMirrors['mirrors'] = [
    {
      ...{ name: 'paris', to: 'redis://redis.paris.example:6379', host: 'b', state: 'following', ...still },
      ...{ bytesPerSecond: 812_000, lagBytes: 2210, lagMs: 4 },
    },
    {
      ...{ name: 'reports', to: 'rediss://reports.example:6380', host: 'b', state: 'copying', ...still },
      ...{ keys: 201_448, bytes: 401_000_000, totalBytes: 911_000_000, bytesPerSecond: 48_200_000 },
      ...{ secondsLeft: 10, lagBytes: 51_200_000, lagMs: 9100 },
    },
    {
      ...{ name: 'staging', to: 'redis://10.9.0.4:6379', host: 'b', state: 'failed', ...still, keys: 0 },
      ...{ bytesPerSecond: 0, lagBytes: null, lagMs: null, queueBytes: 3_200_000, queueMs: 61_000 },
      problem: '10.9.0.4:6379 holds 12 keys that are not this mirror’s',
    },
  ];
  const requests: ApiMirrors['requests'] = ['a', 'b'].map((host) => ({
    ...{ host, name: 'next', to: 'redis://10.9.0.7:6379', state: 'open', problem: null, copied: 48_200 },
    ...{ dropped: 12, failed: 0, errors: { WRONGTYPE: 3 }, readP99Ms: 1.2, writeP99Ms: 1.6 },
    own: { errors: {}, readP99Ms: 0.9, writeP99Ms: 1.1 },
  }));
  return { mirrors: all.slice(0, moves.mirrors), requests: moves.mirrors > 3 ? requests : [], missing: [] };
}

export function migrations({ moves }: ApiView): ApiMigrations {
  const place = { host: 'a', target: '/etc/holdfast/orders.yaml', startedAt: at(340) };
  const all: ApiMigrations['migrations'] = [
    {
      ...{
        ...place,
        id: '9f31c2a0b114',
        folder: '/var/lib/holdfast/.migration',
        phase: 'running',
        runs: true,
      },
      ...{ updatedAt: at(0.4), failure: null },
      sources: [
        {
          ...{ source: 'redis://old-a.example:6379', at: 'old-a.example:6379', phase: 'following' },
          ...{ keys: 310_220, bytes: 520_000_000, totalBytes: 520_000_000, bytesPerSecond: 1_410_000 },
          ...{ secondsLeft: null, lagBytes: 0, lagMs: 0, commands: 812_441, problem: null },
        },
        {
          ...{ source: 'sentinel://old-s.example:26379/cart', at: '10.4.0.7:6379', phase: 'waiting' },
          ...{ keys: 88_410, bytes: 90_000_000, totalBytes: 240_000_000, bytesPerSecond: 0 },
          ...{ secondsLeft: null, lagBytes: null, lagMs: null, commands: 0 },
          problem: '10.4.0.7:6379 refused a connection',
        },
      ],
    },
    {
      ...{ ...place, id: '02b7d4410e9c', folder: '/srv/old-migration', phase: 'failed', runs: false },
      ...{ updatedAt: at(7300), failure: 'key user:4411 is at the target already', sources: [] },
    },
  ];
  return {
    migrations: all.slice(0, moves.migrations),
    missing: [{ host: 'c', why: 'no agent listens there' }],
  };
}
