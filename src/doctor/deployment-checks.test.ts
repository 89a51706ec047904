import { expect, test } from 'vitest';
import { parseSpec } from '../spec/parse.ts';
import { deriveSecrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { type Result, runChecks } from './check.ts';
import type { DeploymentFacts, MemberFacts, SentinelFacts } from './deployment/facts.ts';
import { deploymentChecks } from './deployment-checks.ts';

const mb = 2 ** 20;
const nowMs = Date.UTC(2026, 0, 1);
const strong = 'Hn3/kq9-Zw7+Lx2=Vb8';

const text = `name: x
hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 } }
security: { users: { app: { password: { env: P } } } }
backup: { to: "s3://bucket/" }
`;

function member(spec: Spec, index: number): MemberFacts {
  const primary = index === 0;
  return {
    place: spec.members[index] as MemberFacts['place'],
    info: {
      redis_version: '7.2.11',
      role: primary ? 'master' : 'slave',
      master_link_status: 'up',
      master_repl_offset: '1000',
      slave_repl_offset: '1000',
      server_time_usec: String(nowMs * 1000),
      rdb_last_bgsave_status: 'ok',
      aof_last_write_status: 'ok',
      aof_last_bgrewrite_status: 'ok',
    },
    config: {
      maxmemory: String(100 * mb),
      save: '3600 1',
      appendonly: 'yes',
      'repl-backlog-size': String(64 * mb),
      'protected-mode': 'yes',
      bind: '10.0.0.1 127.0.0.1',
      port: '6379',
    },
    users: [
      'user default off resetpass -@all',
      'user app on #1 ~* &* -@all +@all -@dangerous +info -publish -spublish (&[^_]* -@all +publish)',
      'user holdfast-agent on #2 -@all +config|get',
    ],
    error: '',
    askedAtMs: nowMs,
  };
}

function sentinel(spec: Spec, index: number): SentinelFacts {
  const place = spec.sentinels[index] as SentinelFacts['place'];
  const primary = '10.0.0.1:6379';
  return {
    place,
    reachable: true,
    error: '',
    primary,
    quorumOk: true,
    quorumReason: 'OK 3 usable',
    tilt: false,
  };
}

/** A deployment on which nothing is wrong. */
function healthy(specText = text): DeploymentFacts {
  const spec = parseSpec(specText, 'x.yaml');
  return {
    spec,
    secrets: deriveSecrets(spec, 's', { app: strong }),
    members: spec.members.map((_each, index) => member(spec, index)),
    sentinels: spec.sentinels.map((_each, index) => sentinel(spec, index)),
    haproxy: [{ gate: 'gate-1', text: '    timeout client 24d\n    timeout server 24d\n' }],
    certificates: [{ file: 'server.crt', validToMs: nowMs + 90 * 86_400_000, error: '' }],
    backups: { newestAtMs: nowMs - 3_600_000, ahead: [], broken: [], error: '' },
    drift: [],
    wallMs: nowMs,
  };
}

const bad = (found: Result[]) =>
  found.filter(({ severity }) => severity === 'critical' || severity === 'warning');

test('on a healthy deployment every check looks, and finds nothing', () => {
  const found = runChecks(deploymentChecks, healthy());
  expect(bad(found)).toEqual([]);
  expect(new Set(found.map(({ id }) => id)).size).toBe(deploymentChecks.length);
});

test('without Sentinels none is missed', () => {
  const voterless = (mirror: string) => `name: x
topology: mirror
hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 } }
sentinel: { count: 0 }
mirror: ${mirror}
security: { users: { app: { password: { env: P } } } }
backup: { to: "s3://bucket/" }
`;
  for (const [mirror, who] of [
    ['{ ack: one }', 'a person’s to say'],
    ['{ ack: one, onSplit: serve }', 'the next member leads by itself'],
  ] as const) {
    const found = runChecks(deploymentChecks, healthy(voterless(mirror)));
    expect(bad(found)).toEqual([]);
    const ofSentinels = found.flatMap((each) => (/Sentinel/.test(each.found) ? [each.found] : []));
    expect(ofSentinels).toEqual([expect.stringContaining(who)]);
  }
});

type Spoil = (facts: DeploymentFacts, second: MemberFacts, third: SentinelFacts) => void;

const sick: [expected: string, words: string, spoil: Spoil][] = [
  [
    'reachable critical redis-2',
    'ECONNREFUSED',
    (_, second) => Object.assign(second, { info: null, error: 'ECONNREFUSED' }),
  ],
  [
    'reachable critical sentinel-3',
    'no answer',
    (_, __, third) => Object.assign(third, { reachable: false, error: 'no answer' }),
  ],
  [
    'quorum critical sentinel-3',
    'NOQUORUM',
    (_, __, third) => Object.assign(third, { quorumOk: false, quorumReason: 'NOQUORUM' }),
  ],
  [
    'agreement critical',
    'sentinel-3 names 10.0.0.2:6379',
    (_, __, third) => Object.assign(third, { primary: '10.0.0.2:6379' }),
  ],
  ['tilt critical sentinel-3', 'TILT', (_, __, third) => Object.assign(third, { tilt: true })],
  [
    'replication critical',
    'no member is a primary',
    (facts) => Object.assign(facts.members[0]?.info ?? {}, { role: 'slave' }),
  ],
  [
    'replication critical',
    'redis-1, redis-2 all take',
    (_, second) => Object.assign(second.info ?? {}, { role: 'master' }),
  ],
  [
    'replication critical redis-2',
    'down for 7 s',
    (_, second) =>
      Object.assign(second.info ?? {}, { master_link_status: 'down', master_link_down_since_seconds: '7' }),
  ],
  [
    'replication warning redis-2',
    'copying',
    (_, second) =>
      Object.assign(second.info ?? {}, { master_link_status: 'down', master_sync_in_progress: '1' }),
  ],
  [
    'replication warning redis-2',
    '50.0 MiB behind',
    (facts, second) => {
      for (const each of facts.members)
        Object.assign(each.info ?? {}, {
          master_repl_offset: String(60 * mb),
          slave_repl_offset: String(60 * mb),
        });
      Object.assign(second.info ?? {}, { slave_repl_offset: String(10 * mb) });
    },
  ],
  [
    'backlog warning redis-2',
    '1.0 MiB; 64.0 MiB',
    (_, second) => Object.assign(second.config, { 'repl-backlog-size': String(mb) }),
  ],
  ['max-memory warning redis-2', 'not set', (_, second) => Object.assign(second.config, { maxmemory: '0' })],
  [
    'append-only-file critical redis-2',
    'appendonly is off',
    (_, second) => Object.assign(second.config, { appendonly: 'no' }),
  ],
  [
    'append-only-file critical redis-2',
    'aof_last_write_status is err',
    (_, second) => Object.assign(second.info ?? {}, { aof_last_write_status: 'err' }),
  ],
  [
    'append-only-file critical redis-2',
    'aof_last_bgrewrite_status is err',
    (_, second) => Object.assign(second.info ?? {}, { aof_last_bgrewrite_status: 'err' }),
  ],
  [
    'append-only-file warning redis-2',
    'waited 30 times for the disk to sync the AOF, in 10 h',
    (_, second) =>
      Object.assign(second.info ?? {}, { aof_delayed_fsync: '30', uptime_in_seconds: String(10 * 3600) }),
  ],
  [
    'backups critical s3://bucket/',
    'no good backup',
    (facts) => Object.assign(facts.backups ?? {}, { newestAtMs: null }),
  ],
  [
    'backups warning s3://bucket/',
    '40 h 0 min old; the schedule is "0 2 * * *" (UTC)',
    (facts) => Object.assign(facts.backups ?? {}, { newestAtMs: nowMs - 40 * 3_600_000 }),
  ],
  [
    'backups critical s3://bucket/',
    '70 h 0 min old',
    (facts) => Object.assign(facts.backups ?? {}, { newestAtMs: nowMs - 70 * 3_600_000 }),
  ],
  [
    'backups critical s3://bucket/',
    'AccessDenied',
    (facts) => Object.assign(facts.backups ?? {}, { error: 'AccessDenied' }),
  ],
  [
    'backups warning',
    'redis_2999 is dated 900 days ahead',
    (facts) => Object.assign(facts.backups ?? {}, { ahead: ['redis_2999 is dated 900 days ahead'] }),
  ],
  [
    'backups warning',
    'its data is not there',
    (facts) => Object.assign(facts.backups ?? {}, { broken: ['redis_2026: its data is not there'] }),
  ],
  [
    'last-save critical redis-2',
    'failed',
    (_, second) => Object.assign(second.info ?? {}, { rdb_last_bgsave_status: 'err' }),
  ],
  [
    'passwords critical user app',
    'shorter than 16',
    (facts) => Object.assign(facts.secrets, { users: { app: 'x8/kQ' } }),
  ],
  [
    'passwords critical user app',
    'user’s name',
    (facts) => Object.assign(facts.secrets, { users: { app: `${strong}-App` } }),
  ],
  [
    'passwords critical user app',
    'first to be guessed',
    (facts) => Object.assign(facts.secrets, { users: { app: 'MyRedisPassword2024' } }),
  ],
  [
    'dangerous-commands warning redis-2, user app',
    'dangerous',
    (_, second) => second.users.splice(1, 1, 'user app on #1 ~* &app:* +@all'),
  ],
  [
    'hello-channel warning redis-2, user app',
    '__sentinel__:hello',
    (_, second) => second.users.splice(1, 1, 'user app on #1 ~* &* -@all +publish'),
  ],
  [
    'dangerous-commands critical redis-2, user default',
    'without a password',
    (_, second) => second.users.splice(0, 1, 'user default on nopass ~* +@all'),
  ],
  [
    'exposure warning redis-2',
    'all interfaces',
    (_, second) => Object.assign(second.config, { bind: '* -::*' }),
  ],
  [
    'exposure warning redis-2',
    'protected-mode is off',
    (_, second) => Object.assign(second.config, { 'protected-mode': 'no' }),
  ],
  [
    'version warning redis-2',
    '7.0.15',
    (_, second) => Object.assign(second.info ?? {}, { redis_version: '7.0.15' }),
  ],
  [
    'version warning redis-2',
    '8.0.5',
    (_, second) => Object.assign(second.info ?? {}, { valkey_version: '8.0.5' }),
  ],
  [
    'haproxy-timeouts warning gate-1',
    'timeout client is 30 s',
    (facts) =>
      facts.haproxy.splice(0, 1, {
        gate: 'gate-1',
        text: 'defaults\n timeout client 30s\n timeout server 24d',
      }),
  ],
  [
    'haproxy-timeouts warning gate-1',
    'timeout server is 50 s',
    (facts) =>
      facts.haproxy.splice(0, 1, { gate: 'gate-1', text: 'timeout client 24d\ntimeout server 50000' }),
  ],
  [
    'certificates critical server.crt',
    'expired 2 days ago',
    (facts) => Object.assign(facts.certificates[0] ?? {}, { validToMs: nowMs - 1.5 * 86_400_000 }),
  ],
  [
    'certificates warning server.crt',
    'in 20 days',
    (facts) => Object.assign(facts.certificates[0] ?? {}, { validToMs: nowMs + 20.5 * 86_400_000 }),
  ],
  [
    'clocks warning redis-2',
    '5 s ahead',
    (_, second) => Object.assign(second.info ?? {}, { server_time_usec: String((nowMs + 5000) * 1000) }),
  ],
  [
    'clocks warning redis-2',
    '5 s behind',
    (_, second) => Object.assign(second.info ?? {}, { server_time_usec: String((nowMs - 5000) * 1000) }),
  ],
];

test.each(sick)('%s: %s', (expected, words, spoil) => {
  const facts = healthy();
  spoil(facts, facts.members[1] as MemberFacts, facts.sentinels[2] as SentinelFacts);
  const found = bad(runChecks(deploymentChecks, facts));
  expect(found.map(({ id, severity, subject }) => [id, severity, subject].filter(Boolean).join(' '))).toEqual(
    [expected],
  );
  expect(found[0]?.found).toContain(words);
  expect(found[0]?.fix).toMatch(/\S/);
});

test('a store that nobody looked into is skipped, not passed', () => {
  const facts = { ...healthy(), backups: null };
  const [found] = runChecks(deploymentChecks, facts).filter(({ id }) => id === 'backups');
  expect(found).toMatchObject({ severity: 'skipped', found: 's3://bucket/ was not looked into' });
});

test('what the spec itself leaves open: backups, one host, no save points, world and no password', () => {
  const ids = (specText: string) => bad(runChecks(deploymentChecks, healthy(specText))).map(({ id }) => id);
  expect(ids(text.replace(/backup.*/, ''))).toEqual(['backups']);
  expect(ids('name: x\nbackup: { to: "s3://bucket/" }')).toEqual(['spread', 'spread']);
  const facts = healthy(`${text}redis: { persistence: rdb }`);
  for (const { config } of facts.members) Object.assign(config, { save: '' });
  expect(bad(runChecks(deploymentChecks, facts)).map(({ id }) => id)).toEqual([
    'save-points',
    'save-points',
    'save-points',
  ]);
});

test('newer branches than the list knows are not called old', () => {
  for (const [field, value] of [
    ['redis_version', '8.4.0'],
    ['redis_version', '8.2.2'],
    ['valkey_version', '9.0.0'],
  ] as const) {
    const facts = healthy();
    for (const { info } of facts.members) Object.assign(info ?? {}, { [field]: value });
    expect(bad(runChecks(deploymentChecks, facts))).toEqual([]);
  }
});

test('of standalone members: who is not in sync with the one that leads', () => {
  const found = (record: object | null, ack = 'all') => {
    const facts = healthy(`${text}topology: mirror\nmirror: { ack: ${ack} }\n`);
    const said = { holdfast_in_sync: JSON.stringify(record) };
    Object.assign(facts.members[0]?.info ?? {}, record === null ? {} : said);
    return bad(runChecks(deploymentChecks, facts)).map(
      ({ id, severity, found: what }) => `${id} ${severity} ${what}`,
    );
  };
  const sets = { epoch: 1, version: 0, leaving: [], joining: [] };
  expect(found({ ...sets, in: ['redis-1', 'redis-2', 'redis-3'] })).toEqual([]);
  expect(found({ ...sets, in: ['redis-1', 'redis-3'] })).toEqual([
    'replication warning redis-2 is not in sync',
  ]);
  expect(found({ ...sets, in: ['redis-1'] })[0]).toContain(
    'critical redis-2, redis-3 are not in sync: nobody takes over',
  );
  expect(found(null)[0]).toContain('does not say who is in sync');
  expect(found(null, 'one')).toEqual([]);
});
