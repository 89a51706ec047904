/** The main states of the page, each as what it is told. */
import * as made from './answers.ts';
import { at, crashEvents, gate, host, member, nowMs, sentinel, view, viewAfterCrash } from './example.ts';
import { type Told, told } from './page-server.ts';

/** The primary has just been killed: clients are held, votes arrive. */
export function duringFailover(): Told {
  return told({
    events: crashEvents()
      .slice(0, 5)
      .map((event) => ({ ...event, at: new Date(nowMs - 9).toISOString() })),
    view: view({
      seq: 5,
      state: 'down',
      problems: [
        'redis-1 is down: its process does not run',
        'gate-1 is holding: the primary is lost',
        'gate-2 is holding: the primary is lost',
      ],
      promoting: 'redis-2',
      noPrimaryMs: 9,
      members: [
        member(1, {
          state: 'down',
          reason: 'its process does not run',
          stateForMs: 9,
          role: null,
          ageMs: 9,
          pid: null,
          linkUp: false,
          lagBytes: null,
          commandsPerSecond: null,
        }),
        member(2, {
          linkUp: false,
          state: 'disconnected',
          reason: 'it has no link to its primary',
          lagBytes: null,
        }),
        member(3, {
          linkUp: false,
          state: 'disconnected',
          reason: 'it has no link to its primary',
          lagBytes: null,
        }),
      ],
      sentinels: [1, 2, 3].map((number) =>
        sentinel(number, { failover: number === 1, voted: { epoch: 4, ours: true, at: at(0.007) } }),
      ),
      gates: [1, 2].map((number) =>
        gate(number, {
          state: 'holding',
          held: number === 1 ? 212 : 188,
          reason: 'the primary is lost',
          commandsPerSecond: 0,
          latency: { read: null, write: null },
        }),
      ),
    }),
  });
}

/** Two standalone members, of which one leads, and nobody votes. */
export function withoutSentinels(): Told {
  return told({ view: view({ members: [member(1), member(2)], sentinels: [], quorum: 0 }) });
}

export function degraded(): Told {
  const now = viewAfterCrash();
  return told({
    view: {
      ...now,
      state: 'degraded',
      problems: [
        'redis-3 is unreachable: it does not answer this host',
        'sentinel-3 is unreachable: it does not answer this host',
        'redis-1: its disk is full',
        'automatic actions are paused',
      ],
      paused: true,
      members: [
        { ...now.members[0]!, trouble: 'redis-1: its disk is full (0 bytes of 97 GiB are free)' },
        now.members[1]!,
        {
          ...now.members[2]!,
          ...{ state: 'unreachable', reason: 'it does not answer this host', stateForMs: 93_000 },
          role: null,
          ageMs: 93_000,
          linkUp: false,
          lagBytes: null,
          memory: null,
          keys: null,
          commandsPerSecond: null,
          clients: null,
          persistence: null,
        },
      ],
      sentinels: [
        now.sentinels[0]!,
        now.sentinels[1]!,
        { ...now.sentinels[2]!, state: 'unreachable', ageMs: 93_000, stateForMs: 93_000 },
      ],
      hosts: [
        host('a'),
        host('b'),
        host('c', { agent: 'missing', missing: 'it does not answer (ECONNREFUSED)', ageMs: 93_000 }),
      ],
      drift: [
        {
          member: 'redis-1',
          kind: 'setting',
          name: 'maxmemory-policy',
          running: 'allkeys-lru',
          wanted: 'noeviction',
        },
        {
          member: 'redis-1',
          kind: 'user',
          name: 'reports',
          running: 'on ~* +@all',
          wanted: 'on ~report:* +@read',
        },
      ],
    },
  });
}

/** The guard of the data does not start the old primary, whose files are gone. */
export function refusedMember(): Told {
  const now = viewAfterCrash();
  const refusal = 'redis-1 had data, and its files are gone: started as it is, it would be empty';
  return told({
    view: {
      ...now,
      state: 'degraded',
      problems: [refusal],
      members: [
        {
          ...now.members[0]!,
          ...{
            state: 'refused',
            reason: refusal,
            role: null,
            pid: null,
            linkUp: false,
            refusal,
            refusalCode: 'would-wipe',
          },
          ...{ ageMs: 41_000, lagBytes: null, memory: null, keys: null, commandsPerSecond: null },
        },
        ...now.members.slice(1),
      ],
    },
  });
}

/** Data on its way, in and out. */
export function moving(): Told {
  return told({
    view: { ...viewAfterCrash(), moves: { mirrors: 5, migrations: 2, unwell: 3, troubles: [] } },
  });
}

/** Just started: nobody has connected, nothing has happened. */
export function empty(): Told {
  const quiet = {
    clients: 0,
    held: 0,
    commandsPerSecond: 0,
    latency: { read: null, write: null },
    classes: {},
    commands: {},
    errors: {},
  };
  return told({
    events: [],
    jobs: [],
    clients: 0,
    outageAgoS: null,
    answers: {
      '/api/history': {
        stepMs: 1000,
        at: [],
        deployment: {
          commandsPerSecond: [],
          errorsPerSecond: [],
          clients: [],
          held: [],
          p50Ms: [],
          p99Ms: [],
        },
        members: {},
      },
      '/api/backups': { store: null, schedule: null, backups: [], broken: [] },
      '/api/drills': { scenarios: [], runs: [], missing: [] },
      '/api/doctor': { at: at(2), findings: [], missing: [] },
    },
    view: view({
      seq: 0,
      gates: [gate(1, quiet)],
      clients: {
        connected: 0,
        held: 0,
        commandsPerSecond: 0,
        errorsPerSecond: 0,
        latency: { read: null, write: null },
      },
      backup: null,
    }),
  });
}

export function unauthorised(): Told {
  return told({ session: made.closed });
}

/** As much as the page must bear. */
export function crowded(): Told {
  const members = Array.from({ length: 50 }, (_, index) =>
    member(index + 1, index === 17 ? { state: 'syncing', linkUp: false } : {}),
  );
  const events = Array.from({ length: 10_000 }, (_, index) => ({
    seq: index + 1,
    at: new Date(nowMs - (10_000 - index) * 300).toISOString(),
    kind: index % 40 === 0 ? 'exited' : index % 7 === 0 ? 'replica-eligible' : 'adopted',
    subject: `redis-${(index % 50) + 1}`,
    text: `event ${index + 1} of many`,
    host: 'a',
  }));
  return told({
    events,
    clients: 500,
    view: view({ seq: 10_000, members, gates: [1, 2, 3, 4, 5, 6].map((number) => gate(number)) }),
  });
}

/** The names and texts that somebody made up to deceive. */
export const hostileText = '<img src=x onerror=alert(1)>\u202egnp.exe\u0007\u200b<script>alert(2)</script>';

export function hostile(): Told {
  const now = viewAfterCrash();
  const all = told();
  return {
    ...all,
    events: [
      ...all.events,
      { seq: 11, at: at(1), kind: 'hint', subject: hostileText, text: hostileText, host: 'a' },
    ],
    view: {
      ...now,
      seq: 11,
      events: '11',
      state: 'degraded',
      problems: [hostileText],
      gates: now.gates.map((each) => ({
        ...each,
        reason: hostileText,
        errors: { [hostileText]: 3 },
        commands: { [hostileText]: 9 },
      })),
      drift: [
        { member: 'redis-1', kind: 'user', name: hostileText, running: hostileText, wanted: hostileText },
      ],
    },
    answers: {
      '/api/clients': {
        total: 1,
        missing: [{ gate: 'gate-2', why: hostileText }],
        clients: [{ ...made.clients(now, 1).clients[0]!, name: hostileText, user: hostileText }],
      },
    },
  };
}
