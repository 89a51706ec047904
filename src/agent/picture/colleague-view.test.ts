import { expect, test } from 'vitest';
import type { ApiGate, ApiHost, ApiHostReport, ApiMember, ApiSentinel, ApiView } from '../../api/view.ts';
import { type Colleague, withColleagues } from './colleague-view.ts';
import { reportIn } from './colleagues.ts';

const nothing = { version: null, startedAt: null, memoryBytes: null, cpuShare: null, load: null, disk: null };

function gate(id: string, host: string, change: Partial<ApiGate> = {}): ApiGate {
  return {
    ...{
      id,
      host,
      address: '10.0.0.1',
      port: 6380,
      replicaPort: null,
      kind: 'gate',
      state: 'open',
      reason: null,
      stateForMs: null,
    },
    ...{ ageMs: null, pid: null, primary: null, primarySince: null, clients: null, held: null },
    ...{ commandsPerSecond: null, errorsPerSecond: null, bytesInPerSecond: null, bytesOutPerSecond: null },
    ...{ latency: { read: null, write: null }, classes: {}, commands: {}, errors: {}, uncertain: null },
    ...{ connections: null, sentinelsSeen: null, memoryBytes: null, cpuShare: null },
    ...change,
  };
}

function host(id: string, change: Partial<ApiHost> = {}): ApiHost {
  return {
    id,
    address: '10.0.0.1',
    agent: 'missing',
    missing: 'it was not asked yet',
    ageMs: null,
    ...nothing,
    ...change,
  };
}

const own = {
  ...{
    host: 'a',
    state: 'healthy',
    problems: [],
    gates: [gate('gate-a', 'a', { clients: 2 }), gate('gate-b', 'b')],
    drift: [],
    moves: { mirrors: 2, migrations: 0, unwell: 1, troubles: [] },
  },
  ...{ members: [] as ApiMember[], sentinels: [] as ApiSentinel[] },
  hosts: [host('a', { agent: 'here', missing: null }), host('b')],
} as unknown as ApiView;

const report: ApiHostReport = {
  seq: 1,
  jobs: 0,
  host: host('b', { agent: 'here', missing: null, version: '9' }),
  gates: [gate('gate-b', 'b', { clients: 5, held: 1, pid: 7, commandsPerSecond: 100 })],
  ...{ members: [], sentinels: [], drift: [], troubles: [] },
  moves: { mirrors: 2, migrations: 1, unwell: 1, troubles: [] },
};

const merged = (colleague: Colleague) => withColleagues(own, new Map([['b', colleague]]));

test('what a colleague tells of its gates is shown, and counted', () => {
  const view = merged({ unasked: false, report, ageMs: null, missing: null });
  expect(view.clients).toMatchObject({ connected: 7, held: 1, commandsPerSecond: 100 });
  expect(view.gates[1]).toMatchObject({ clients: 5, pid: 7, ageMs: null });
  expect(view.hosts[1]).toMatchObject({ id: 'b', agent: 'up', missing: null, version: '9' });
});

test('one that is missing is said to be, what it said is as old as it is, and counts no more', () => {
  const view = merged({ unasked: false, report, ageMs: 4000, missing: 'no agent listens there' });
  expect(view).toMatchObject({
    state: 'degraded',
    problems: ['the agent of b does not answer: no agent listens there'],
  });
  expect(view.clients.connected).toBe(2);
  expect(view.gates[1]).toMatchObject({ clients: 5, pid: null, ageMs: 4000, state: 'open' });
  expect(view.hosts[1]).toMatchObject({ agent: 'missing', missing: 'no agent listens there', ageMs: 4000 });
  const unasked = merged({ unasked: true, report: null, ageMs: null, missing: 'on loopback' });
  expect(unasked).toMatchObject({ state: 'healthy', problems: [] });
  const never = merged({ unasked: false, report: null, ageMs: null, missing: 'no agent listens there' });
  expect(never.gates[1]).toMatchObject({ clients: null, ageMs: null });
  expect(never.hosts[1]).toMatchObject({ agent: 'missing', missing: 'no agent listens there' });
});

test('a mirror that fails on another host is a problem of the deployment, as long as that host says so', () => {
  const trouble = 'the mirror dr failed: no room';
  const troubled = { ...report, moves: { ...report.moves, troubles: [trouble] } };
  const told = { unasked: false, report: troubled, ageMs: null, missing: null };
  expect(merged(told)).toMatchObject({ state: 'degraded', problems: [trouble] });
  const silent = merged({ ...told, ageMs: 4000, missing: 'no agent listens there' });
  expect(silent.problems).not.toContain(trouble);
});

test('what only the agent of another host knows to be wrong is a problem at every host', () => {
  const trouble = 'the state could not be written: no space left';
  const told = { unasked: false, report: { ...report, troubles: [trouble] }, ageMs: null, missing: null };
  expect(merged(told)).toMatchObject({ state: 'degraded', problems: [trouble] });
  expect(merged({ ...told, ageMs: 4000, missing: 'no agent listens there' }).problems).not.toContain(trouble);
});

test('migrations of this host that stand still make it degraded; a mirror’s trouble is said once', () => {
  const [migration, mirror] = [
    'the migration from old:6379 failed: no room',
    'the mirror dr waits: no answer',
  ];
  const troubled = {
    ...own,
    problems: [mirror],
    state: 'degraded',
    moves: { ...own.moves, troubles: [mirror, migration] },
  } as ApiView;
  expect(withColleagues(troubled, new Map()).problems).toEqual([mirror, migration]);
  expect(withColleagues({ ...troubled, problems: [], state: 'healthy' }, new Map()).state).toBe('degraded');
});

test('a problem is told in the words of the agent of its host, unless that finds nothing wrong', () => {
  const member = (state: string, reason: string | null, trouble: string | null = null) =>
    ({ id: 'redis-2', host: 'b', state, reason, stateForMs: 5, trouble, refusal: null }) as ApiMember;
  const unreachable = 'redis-2 is unreachable';
  const seen = { ...own, problems: [unreachable], members: [member('unreachable', null)] };
  const problemsWith = (theirs: ApiMember) => {
    const told = { ...report, members: [theirs] };
    const colleague = { unasked: false, report: told, ageMs: null, missing: null };
    return withColleagues(seen, new Map([['b', colleague]])).problems;
  };
  expect(problemsWith(member('failed', 'its restarts are used up'))).toEqual([
    'redis-2 is failed: its restarts are used up',
  ]);
  expect(problemsWith(member('up', null))).toEqual([unreachable]);
  const full = 'redis-2: its disk is full';
  expect(problemsWith(member('up', null, full))).toEqual([unreachable, full]);
  // This agent sees that too, in other figures.
  seen.members = [member('up', null, 'redis-2: 1 byte is left')];
  seen.problems = ['redis-2: 1 byte is left'];
  expect(problemsWith(member('up', null, full))).toEqual(seen.problems);
});

test('a colleague is believed about its own host only', () => {
  const both = { ...report, gates: [...report.gates, gate('gate-a', 'a', { clients: 900 })] };
  const drift = [{ member: 'redis-1', kind: 'setting', name: 'x', running: '1', wanted: '2' }];
  const read = reportIn(JSON.parse(JSON.stringify({ ...both, drift })), 'b');
  expect(read.gates.map(({ id }) => id)).toEqual(['gate-b']);
  expect(read.drift).toEqual([]);
  expect(() => reportIn(report, 'c')).toThrow('it says that it is b');
  for (const wrong of [null, {}, [], { ...report, gates: 3 }]) {
    expect(() => reportIn(wrong, 'b')).toThrow('does not understand');
  }
});

test('a colleague of another release is heard: what it does not say is not known, and nobody calls it silent', () => {
  const { troubles: _first, moves: _second, ...older } = report;
  const { held: _third, ...olderGate } = gate('gate-b', 'b', { clients: 5, pid: 7 });
  const later = { ...gate('gate-b', 'b'), state: 'dreaming' };
  const said = { ...older, gates: [olderGate, later], mood: 'fine' };
  const read = reportIn(JSON.parse(JSON.stringify(said)), 'b');
  const view = merged({ unasked: false, report: read, ageMs: null, missing: null });
  expect(view).toMatchObject({ state: 'healthy', problems: [] });
  expect(view.gates[1]).toMatchObject({ clients: 5, pid: 7, held: null, state: 'open' });
});
