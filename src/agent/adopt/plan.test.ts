import { expect, test } from 'vitest';
import { parseSpec } from '../../spec/parse.ts';
import type { AdoptionFacts, Found, RunningMember, RunningSentinel } from './facts.ts';
import { planAdoption } from './plan.ts';

const base = 'name: orders\nredis: { members: 3, port: 7001 }\nsentinel: { port: 7011 }\n';
const gib = 2 ** 30;
const config = {
  ...{
    dir: '/data/1',
    dbfilename: 'dump.rdb',
    appendonly: 'yes',
    save: '',
    databases: '16',
    bind: '127.0.0.1',
  },
  ...{ maxmemory: '0', 'min-replicas-to-write': '0', 'tcp-backlog': '511', requirepass: '' },
};
const open = 'user default on nopass sanitize-payload ~* &* +@all';
const wanted = {
  config: { ...config, maxmemory: '1024', 'min-replicas-to-write': '1', 'tcp-backlog': '128', dir: '/else' },
  users: [
    `${open} -publish -spublish (resetchannels -@all +publish +spublish &[^_]*)`,
    'user holdfast-agent on #11',
  ],
};

function member(changes: Partial<RunningMember> = {}): RunningMember {
  return {
    ...{ openFile: null, folderProblem: null, loading: false, cluster: false, taken: false, ours: false },
    process: { pid: 4, startTime: '9', uid: 1000, user: 'redis', keeper: null },
    ...{
      runId: 'a',
      product: 'Redis',
      version: '7.0.15',
      modules: [],
      missing: [],
      usedBytes: 100,
      watchers: [],
    },
    role: { role: 'primary', offset: 1, replicas: [] },
    settings: { config, users: [open] },
    folder: '/data/1',
    inTheWay: null,
    ...changes,
  };
}

const replica = (port: number, changes: Partial<RunningMember> = {}): RunningMember =>
  member({
    role: { role: 'replica', primaryAddress: '127.0.0.1', primaryPort: 7001, link: 'connected', offset: 1 },
    folder: `/data/${port}`,
    ...changes,
  });

function sentinel(id: string, changes: Partial<RunningSentinel> = {}): RunningSentinel {
  return {
    ...{ openFile: null, flags: ['master'], colleagues: [], hasPassword: false, taken: false, ours: false },
    process: { pid: 5, startTime: '9', uid: 1000, user: 'redis', keeper: null },
    sentinelId: id.padEnd(40, '0'),
    watches: [{ name: 'orders', address: '127.0.0.1', port: 7001 }],
    ...changes,
  };
}

function plan(
  given: {
    base?: string;
    spec?: string;
    members?: (RunningMember | string | null)[];
    sentinels?: (RunningSentinel | null)[];
    facts?: Partial<AdoptionFacts>;
    keepersOff?: boolean;
    /** Of a spec with several. */
    host?: string;
  } = {},
) {
  const spec = parseSpec((given.base ?? base) + (given.spec ?? ''), 'x.yaml');
  const found = <Place, Running>(
    place: Place,
    running: Running | string | null = null,
  ): Found<Place, Running> =>
    typeof running === 'string'
      ? { place, running: null, problem: running }
      : { place, running, problem: null };
  const members = given.members ?? [member()];
  const facts: AdoptionFacts = {
    host: given.host ?? 'local',
    ...{ uid: 1000, replicationDigest: null, tlsProblems: [] },
    engine: { product: 'Redis', version: '7.0.15', major: 7, minor: 0 },
    wanted,
    members: spec.members.map((place, index) => found(place, members[index])),
    sentinels: spec.sentinels.map((place, index) => found(place, given.sentinels?.[index])),
    free: { memoryBytes: gib, diskBytes: gib },
    started: [],
    portTaken: null,
    ...given.facts,
  };
  return planAdoption(spec, facts.host, facts, { keepersOff: given.keepersOff ?? false });
}

const said = (given: Parameters<typeof plan>[0]) =>
  plan(given).refusals.map(({ where, what }) => `${where}: ${what}`);

test('a server alone gets replicas, Sentinels and a gate beside it; settings come now, with replicas, or at its next start', () => {
  const { primary, takes, starts, refusals } = plan();
  expect(refusals).toEqual([]);
  expect(primary).toBe('redis-1');
  expect(takes).toMatchObject([{ id: 'redis-1', pid: 4, role: 'primary', folder: '/data/1' }]);
  expect(starts.map(({ id }) => id)).toEqual([
    ...['redis-2', 'redis-3', 'sentinel-1', 'sentinel-2', 'sentinel-3', 'gate-1'],
  ]);
  expect(takes[0]?.now.map(({ name }) => name)).toEqual(['maxmemory']);
  expect(takes[0]?.waiting.map(({ name }) => name)).toEqual(['tcp-backlog']);
});

test('all of it runs: all of it is taken over', () => {
  const others = [7002, 7003].map((port) => ({ address: '127.0.0.1', port, offset: 1 }));
  const watchers = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'];
  const first = member({ role: { role: 'primary', offset: 1, replicas: others }, watchers });
  const colleagues = [7012, 7013].map((port) => ({ address: '127.0.0.1', port, runId: `${port}` }));
  const { takes, starts, refusals } = plan({
    members: [first, replica(2), replica(3)],
    sentinels: [sentinel('aaaaaaaa', { colleagues }), sentinel('bbbbbbbb'), sentinel('cccccccc')],
  });
  expect(refusals).toEqual([]);
  expect(takes.map(({ id }) => id)).toEqual([
    ...['redis-1', 'redis-2', 'redis-3', 'sentinel-1', 'sentinel-2', 'sentinel-3'],
  ]);
  expect(starts.map(({ id }) => id)).toEqual(['gate-1']);
});

const users = (...lines: string[]) => ({ settings: { config, users: lines } });
const stored = (changes: Record<string, string>) => ({
  settings: { config: { ...config, ...changes }, users: [open] },
});
const keeper = { what: 'systemd, as redis.service', letGo: 'systemctl mask redis.service' };
const at = { pid: 4, startTime: '9', uid: 1000, user: 'redis', keeper: null };

test.each<[string, Partial<RunningMember>, string]>([
  [
    'another user',
    { process: { ...at, uid: 0, user: 'root' } },
    'redis-1: its process (pid 4) belongs to root',
  ],
  [
    'a supervisor',
    { process: { ...at, keeper } },
    'redis-1: it would be started again by systemd, as redis.service',
  ],
  ['a container', { process: 'it says that it is process 1' }, 'redis-1: it says that it is process 1'],
  [
    'an open file',
    { openFile: '/etc/redis.conf' },
    'redis-1: it writes its configuration to /etc/redis.conf',
  ],
  ['holdfast itself', { ours: true }, 'redis-1: holdfast started it'],
  ['loading', { loading: true }, 'redis-1: it is loading its data'],
  ['a cluster', { cluster: true }, 'redis-1: it is a node of a Redis Cluster'],
  ['renamed commands', { missing: ['config'] }, 'redis-1: it has no config: renamed'],
  [
    'a newer server',
    { version: '7.2.1' },
    'redis-1: it is Redis 7.2.1, and would be started again as Redis 7.0.15',
  ],
  ['another engine', { product: 'Valkey', version: '7.0.0' }, 'redis-1: it is Valkey 7.0.0'],
  ['a module', { modules: ['ReJSON'] }, 'redis-1: it has loaded ReJSON'],
  [
    'an AOF of another name',
    stored({ appendfilename: 'mine.aof' }),
    'redis-1: it has appendfilename mine.aof',
  ],
  [
    'other persistence',
    stored({ appendonly: 'no' }),
    'redis-1: it keeps its data as none, and by the spec it is aof',
  ],
  ['databases', stored({ databases: '99' }), 'redis-1: it has 99 databases'],
  ['a folder', { folderProblem: 'EACCES' }, "redis-1: its data folder /data/1 can't be used from here"],
  [
    'files in the way',
    { inTheWay: '/s/data' },
    'redis-1: /s/data has files in it, and its data lies in /data/1',
  ],
  [
    'a user',
    users(open, 'user app on #22 ~* +get'),
    'redis-1: it has a user app that the spec does not name',
  ],
  ['a password', users('user default on #33 ~* &* +@all'), 'redis-1: its user default has not the passwords'],
  ['less rights', users('user default on nopass ~a:* &* +@all'), 'redis-1: its user default may do'],
  [
    'a Sentinel of others',
    { watchers: ['dddddddd'] },
    'redis-1: a Sentinel that the spec does not name (dddddddd) watches it',
  ],
  [
    'a replica of others',
    { role: { role: 'primary', offset: 1, replicas: [{ address: '10.0.0.9', port: 1, offset: 1 }] } },
    'redis-1: a replica follows it that goes by 10.0.0.9:1',
  ],
  [
    'no primary',
    { role: { role: 'replica', primaryAddress: '10.0.0.9', primaryPort: 1, link: 'connected', offset: 1 } },
    'redis-1: it is a replica of 10.0.0.9:1',
  ],
])('%s speaks against it', (_what, changes, expected) => {
  const found = said({ members: [member(changes)] });
  expect(found.filter((each) => each.startsWith(expected))).toHaveLength(1);
});

test('a server before 7.0 that keeps clients out of that channel by patterns has the same users', () => {
  const by62 =
    'user app on #22 ~* resetchannels &[^_]* &_ &_[^_]* &__ &__[^s]* &__s &__s[^e]* &__se &__se[^n]* &__sen &__sen[^t]* &__sent &__sent[^i]* &__senti &__senti[^n]* &__sentin &__sentin[^e]* &__sentine &__sentine[^l]* &__sentinel &__sentinel[^_]* &__sentinel_ &__sentinel_[^_]* +@all';
  const facts = { wanted: { ...wanted, users: [...wanted.users, by62] } };
  expect(said({ members: [member(users(open, 'user app on #22 ~* &* +@all'))], facts })).toEqual([]);
  expect(said({ members: [member(users(open, 'user app on #22 ~a &* +@all'))], facts })).toHaveLength(1);
  const off = { wanted: { ...wanted, users: ['user default off -@all', by62] } };
  const found = said({ members: [member(users(open, 'user app on #22 ~* &* +@all'))], facts: off });
  expect(found).toEqual([expect.stringContaining('everyone gets in without a password')]);
});

test('users that are off, and ours, and what only the channel of the Sentinels tells apart, speak not', () => {
  const others = ['user gone off ~* +@all', 'user holdfast-agent on #99 +get'];
  expect(said({ members: [member(users(open, ...others))] })).toEqual([]);
});

test.each<[string, Partial<RunningSentinel>, string]>([
  [
    'another name',
    { watches: [{ name: 'mymaster', address: '127.0.0.1', port: 7001 }] },
    'it watches mymaster',
  ],
  [
    'two names',
    { watches: [...sentinel('a').watches, { name: 'x', address: 'h', port: 1 }] },
    'it watches orders, x',
  ],
  [
    'another primary',
    { watches: [{ name: 'orders', address: '127.0.0.1', port: 7002 }] },
    'it names 127.0.0.1:7002 primary',
  ],
  [
    'a failover',
    { flags: ['master', 'failover_in_progress'] },
    'it says of the primary: failover_in_progress',
  ],
  [
    'a colleague',
    { colleagues: [{ address: '10.0.0.9', port: 1, runId: 'x' }] },
    'it knows a Sentinel at 10.0.0.9:1',
  ],
  ['a password', { hasPassword: true }, 'it asks for a password'],
])('a Sentinel with %s speaks against it', (_what, changes, expected) => {
  const found = said({ sentinels: [sentinel('aaaaaaaa', changes)] });
  expect(found.filter((each) => each.startsWith(`sentinel-1: ${expected}`))).toHaveLength(1);
});

test('replicas that follow another, or not at all, a shared folder, and two primaries', () => {
  const elsewhere = replica(2, {
    role: { role: 'replica', primaryAddress: '127.0.0.1', primaryPort: 9, link: 'connected', offset: 1 },
  });
  const behind = replica(3, {
    role: { role: 'replica', primaryAddress: '127.0.0.1', primaryPort: 7001, link: 'sync', offset: 1 },
    folder: '/data/1',
  });
  const found = said({ members: [member(), elsewhere, behind] });
  expect(found[0]).toContain('redis-2: it follows 127.0.0.1:9');
  expect(found[1]).toContain('redis-3: its link to the primary is "sync"');
  expect(found[2]).toContain('redis-1 and redis-3: they have one data folder');
  expect(said({ members: [member(), member({ folder: '/b' })] })[0]).toContain(
    'redis-1 and redis-2 are primaries',
  );
});

test('room for the copies, taken ports, certificates, nobody there, and who gives no answer', () => {
  const full = { free: { memoryBytes: 100, diskBytes: 10 } };
  expect(said({ facts: full }).map((each) => each.split(':')[0])).toEqual(['the spec', 'the spec']);
  // Nothing is copied where all of them run.
  expect(said({ members: [member(), replica(2), replica(3)], facts: full })).toEqual([]);
  expect(said({ facts: { portTaken: '127.0.0.1:7002 is taken' } })).toEqual([
    'the spec: 127.0.0.1:7002 is taken',
  ]);
  expect(said({ members: [] })[0]).toContain('no server runs where it places the members');
  expect(
    said({ facts: { tlsProblems: ['x.pem is good for a.example, and this host is 127.0.0.1'] } })[0],
  ).toContain('the spec: x.pem is good for a.example');
  expect(said({ spec: 'security: { tls: auto }\n' })[0]).toContain('it has security.tls: auto');
  expect(said({ members: ['NOAUTH'] })).toEqual(['redis-1: at 127.0.0.1:7001: NOAUTH']);
});

test('a supervisor that was told to let go speaks not, and what changes for clients is said before', () => {
  const wide = { ...config, bind: '* -::*', 'replica-priority': '50' };
  const first = member({ process: { ...at, keeper }, settings: { config: wide, users: [open] } });
  const { refusals, warnings } = plan({ members: [first], keepersOff: true });
  expect(refusals).toEqual([]);
  expect(warnings[0]).toContain('redis-1 listens on * ::*; from its next start on it listens on 127.0.0.1');
  expect(warnings[1]).toContain('replica-priority 50');
});

const hosts = 'hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 } }\n';
const spread = `redis: { port: 7001 }\nsentinel: { port: 7011 }\n${hosts}security: { users: { default: { password: { env: P }, acl: "~* &* +@all" } } }\n`;
const locked = 'user default on #22 sanitize-payload ~* &* +@all';
const elsewhere = { process: null, settings: { config, users: [locked] }, folder: '/data' };
/** Each host's server and Sentinel, as host b finds them. */
function threeHosts(changes: Partial<RunningMember>[] = []) {
  const others = ['10.0.0.2', '10.0.0.3'].map((address) => ({ address, port: 7001, offset: 1 }));
  const follows = {
    role: 'replica',
    primaryAddress: '10.0.0.1',
    primaryPort: 7001,
    link: 'connected',
    offset: 1,
  } as const;
  const watches = [{ name: 'orders', address: '10.0.0.1', port: 7001 }];
  const there = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'].map((id) => sentinel(id, { watches, process: null }));
  there[1] = sentinel('bbbbbbbb', { watches });
  return {
    ...{ base: 'name: orders\n', spec: spread, host: 'b', sentinels: there },
    members: [
      member({ ...elsewhere, role: { role: 'primary', offset: 1, replicas: others }, ...changes[0] }),
      member({ ...elsewhere, process: at, role: follows, ...changes[1] }),
      member({ ...elsewhere, role: follows, ...changes[2] }),
    ],
    facts: { wanted: { config: { ...config, maxmemory: '1024' }, users: [locked] } },
  };
}

test('of several hosts each takes over its own part, and gives all servers its users', () => {
  const { takes, starts, others, primary, refusals } = plan(threeHosts());
  expect(refusals).toEqual([]);
  expect({ primary, others }).toEqual({ primary: 'redis-1', others: ['redis-1', 'redis-3'] });
  expect(takes.map(({ id }) => id)).toEqual(['redis-2', 'sentinel-2']);
  expect(starts.map(({ id }) => id)).toEqual(['gate-2']);
});

test('what is wrong with a server of another host speaks against it here too', () => {
  const behind = {
    role: 'replica',
    primaryAddress: '10.0.0.1',
    primaryPort: 7001,
    link: 'sync',
    offset: 1,
  } as const;
  const late = 'user late on #33 ~* +get';
  expect(said(threeHosts([{ loading: true }, {}, { role: behind }]))).toEqual([
    'redis-1: it is loading its data',
    'redis-3: its link to the primary is "sync", not connected',
  ]);
  const known = { settings: { config, users: [locked, late] } };
  expect(said(threeHosts([{}, {}, known]))).toEqual([
    'redis-3: it has a user late that the spec does not name',
  ]);
  expect(said({ ...threeHosts(), members: ['EHOSTUNREACH', null, null] })[0]).toContain(
    'redis-1: at 10.0.0.1:7001',
  );
});

test('users of holdfast that another secret made are seen before they are locked out', () => {
  const there = { settings: { config, users: [locked, 'user holdfast-replication on #44 +psync'] } };
  const given = threeHosts([there]);
  const withSecret = (replicationDigest: string | null) =>
    said({ ...given, facts: { ...given.facts, replicationDigest } });
  expect(withSecret('#44')).toEqual([]);
  expect(withSecret('#55')[0]).toContain(
    'redis-1: it has holdfast’s users already, with passwords of another secret',
  );
  expect(withSecret(null)[0]).toContain('this host, which has none');
  // One machine has one secret: an earlier try that was taken back is in nobody's way.
  expect(
    said({
      members: [member({ settings: { config, users: [open, 'user holdfast-replication on #44 +psync'] } })],
    }),
  ).toEqual([]);
});
