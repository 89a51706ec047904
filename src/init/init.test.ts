import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serverFacts } from '../redis/server-facts.ts';
import { parseSpec } from '../spec/parse.ts';
import { noEngine } from './engine-defaults.ts';
import { foundInFiles } from './files.ts';
import { type Found, nothingFound } from './found.ts';
import { longestBytes, refuseNoConfiguration } from './no-configuration.ts';
import { plainSpec } from './plain-spec.ts';
import { foundRunning, type RunningServer } from './running.ts';
import { parseSource } from './source.ts';
import { specOf } from './spec-of.ts';
import { specText } from './spec-text.ts';

function fixture(...names: string[]): Found {
  const files = names.map((file) => ({
    file,
    text: readFileSync(new URL(`../../test/fixtures/init/${file}`, import.meta.url), 'utf8'),
  }));
  return foundInFiles(files, undefined, noEngine);
}

function written(found: Found) {
  const text = specText(specOf(found), ['Written by a test.']);
  // Comments are wrapped; what they say is looked for in one line.
  return { text: text.replaceAll(/\n *# {2}/g, ' '), spec: parseSpec(text, 'holdfast.yaml') };
}

describe('redis.conf and sentinel.conf', () => {
  const { text, spec } = written(fixture('redis.conf', 'sentinel.conf'));

  test('become three hosts with their ports, and the Sentinels’ name', () => {
    expect(spec.name).toBe('orders');
    expect(spec.hosts.map(({ address }) => address)).toEqual(['10.0.1.55', '10.0.1.156', '10.0.1.201']);
    expect(spec.members.map(({ address, port }) => `${address}:${port}`)).toEqual([
      '10.0.1.55:6379',
      '10.0.1.156:6379',
      '10.0.1.201:6379',
    ]);
    expect(spec.sentinels).toHaveLength(3);
    expect(spec.sentinel.quorum).toBe(2);
    expect(spec.sentinel.failoverTimeoutMs).toBe(60_000);
  });

  test('settings go to the keys of the spec, and others to redis.config', () => {
    expect(spec.redis.maxMemoryBytes).toBe(2 * 2 ** 30);
    expect(spec.redis.maxMemoryPolicy).toBe('allkeys-lru');
    expect(spec.redis.persistence).toBe('aof-everysec');
    expect(spec.redis.save).toEqual([
      { seconds: 900, changes: 1 },
      { seconds: 300, changes: 10 },
    ]);
    expect(spec.redis.minReplicasToWrite).toBe(1);
    expect(spec.redis.config).toMatchObject({
      databases: [32],
      'notify-keyspace-events': ['Ex'],
      'hash-max-listpack-entries': [256],
      'slowlog-log-slower-than': [5000],
      'client-output-buffer-limit': ['normal 0 0 0', 'replica 512mb 128mb 60', 'pubsub 32mb 8mb 60'],
    });
  });

  test('users keep their rules, with a file for each password; what was forbidden stays so', () => {
    expect(spec.security.users.map(({ name, acl }) => [name, acl])).toEqual([
      ['report', '~report:* +@read'],
      ['default', '~* &* +@all -flushall'],
    ]);
    expect(text).toContain('write the one that clients use today into default.password');
  });

  test('what is not carried over is said beside its key, with why', () => {
    for (const said of [
      /Not carried over: dir \/var\/lib\/redis: it is in the state directory/,
      /Not carried over: rename-command CONFIG: Sentinels and agents need the commands/,
      /Not carried over: notification-script: holdfast has no Sentinel run scripts/,
      /Not carried over: the user nobody: it is switched off/,
      /Not carried over: the password of the Sentinels: holdfast makes one/,
      /# Not carried over: 1000 ms: from 3s to 10m.*\n +detectAfter: 3s/,
    ]) {
      expect(text).toMatch(said);
    }
  });

  test('no password is in it', () => {
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('b840fc02d524045429941cc15f59e41cb7be6c52');
  });
});

test('a server alone stays alone, and no password is asked for where there is none', () => {
  const conf = { file: 'redis.conf', text: 'port 7000\nsave ""\n' };
  const { spec } = written(foundInFiles([conf], undefined, noEngine));
  expect(spec.members.map(({ port }) => port)).toEqual([7000]);
  expect(spec.sentinels).toHaveLength(3);
  expect(spec.security.users).toEqual([]);
  expect(spec.redis.persistence).toBe('none');
  expect(spec.agent.restarts.limit).toBe(0);
});

test('what is the engine’s default is not said, in whatever words', () => {
  const engine = {
    name: 'redis-server 7.0.15',
    defaults: { hz: '10', 'repl-backlog-size': '1048576', 'io-threads': '1', maxmemory: '0' },
  };
  const text = 'hz 10\nrepl-backlog-size 1mb\nio-threads 2\nsome-new-thing 3\nmaxmemory 64mb\n';
  const found = foundInFiles([{ file: 'redis.conf', text }], undefined, engine);
  const { spec, text: yaml } = written(found);
  expect(spec.redis.config).toEqual({ 'io-threads': [2] });
  expect(spec.redis.maxMemoryBytes).toBe(64 * 2 ** 20);
  expect(yaml).toContain('some-new-thing 3: redis-server 7.0.15 of this machine does not know it');
});

test('values of bitnami/redis: so many pods with a Sentinel each, the chart’s own AOF', () => {
  const { text, spec } = written(fixture('bitnami-values.yaml'));
  expect(spec.name).toBe('sessions');
  expect(spec.members).toHaveLength(4);
  expect(spec.sentinels).toHaveLength(3);
  expect(spec.sentinel.detectAfterMs).toBe(10_000);
  expect(spec.sentinel.failoverTimeoutMs).toBe(180_000);
  expect(spec.redis).toMatchObject({
    persistence: 'aof-everysec',
    save: [],
    maxMemoryBytes: 512 * 2 ** 20,
    maxMemoryPolicy: 'volatile-lru',
    minReplicasToWrite: 0,
  });
  expect(spec.security.users).toMatchObject([{ name: 'default', acl: '~* &* +@all -flushall' }]);
  expect(text).toContain('master.resources');
  expect(text).toContain('metrics: each agent serves /metrics itself');
  expect(text).toContain('4 Sentinels were found, 3 are here');
  expect(text).not.toContain('hunter2');
});

test('values of bitnami/redis without Sentinels: a primary and its replicas, and Sentinels of ours', () => {
  const text = 'architecture: replication\nreplica: { replicaCount: 2 }\nauth: { enabled: false }\n';
  const { spec, text: yaml } = written(foundInFiles([{ file: 'v.yaml', text }], undefined, noEngine));
  expect(spec.members).toHaveLength(3);
  expect(spec.sentinels).toHaveLength(3);
  expect(yaml).toContain('it has replicas and nothing that promotes one');
  expect(yaml).toContain('commands that were renamed away: FLUSHDB, FLUSHALL');
});

test('values of dandydev/redis-ha, over the chart’s own; also as a part of another chart', () => {
  const { text, spec } = written(fixture('redis-ha-values.yaml'));
  expect(spec.name).toBe('shop');
  expect(spec.members).toHaveLength(5);
  expect(spec.sentinels).toHaveLength(5);
  expect(spec.sentinel).toEqual({ quorum: 3, detectAfterMs: 5000, failoverTimeoutMs: 180_000 });
  expect(spec.redis).toMatchObject({
    persistence: 'rdb',
    save: [
      { seconds: 900, changes: 1 },
      { seconds: 60, changes: 1000 },
    ],
    maxMemoryPolicy: 'allkeys-lfu',
    minReplicasToWrite: 1,
    minReplicasMaxLagMs: 5000,
    config: { hz: [20] },
  });
  expect(text).toContain('the key auth of the Secret shop-redis');
  expect(text).toContain('haproxy.servicePort 6379');
  const inside = 'redis-ha:\n  replicas: 3\n  redis: { masterGroupName: inner }\n';
  expect(foundInFiles([{ file: 'v.yaml', text: inside }], undefined, noEngine).name).toBe('inner');
});

test('a file that could be of either chart is not guessed at', () => {
  const files = [{ file: 'v.yaml', text: 'image: { tag: "7" }\n' }];
  expect(() => foundInFiles(files, undefined, noEngine)).toThrow(/neither chart, by its keys \(image\)/);
  expect(foundInFiles(files, 'dandydev/redis-ha', noEngine).members).toBe(3);
});

describe('what is no configuration is refused, with what it is', () => {
  const of = (text: string) => Buffer.from(text, 'latin1');
  test.each([
    ['an RDB file', of('REDIS0011\xfa\x09redis-ver')],
    ['an AOF', of('*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n')],
    ['compressed (gzip)', of('\x1f\x8b\x08\x00')],
    ['no text', of('\x7fELF\x02\x01\x01\x00')],
    ['empty', of('')],
    ['empty', of(' \r\n\n')],
    ['longer than any configuration', Buffer.alloc(longestBytes + 1, 'a')],
  ])('%s', (what, bytes) => {
    expect(() => refuseNoConfiguration('f', bytes)).toThrow(
      expect.objectContaining({
        code: 'INIT_SOURCE_UNKNOWN',
        message: expect.stringContaining(`f is ${what}`),
        hint: expect.stringContaining('redis.conf, sentinel.conf'),
      }),
    );
  });

  test('comments in an encoding of their own are text', () => {
    expect(() => refuseNoConfiguration('f', of('# f\xfcr alle\nport 6379\n'))).not.toThrow();
  });

  const engine = { name: 'redis-server 7.0.15', defaults: { port: '6379', maxmemory: '0' } };
  const found = (file: string, text: string) => () => foundInFiles([{ file, text }], undefined, engine);
  test('text without a setting, YAML without values, and a spec', () => {
    expect(found('t', 'just text\nwith words\n')).toThrow(/^t has no line that redis-server 7\.0\.15 knows/);
    expect(found('t', '# nothing\n')).toThrow(/^t says nothing/);
    expect(found('t', 'port 6379\nof-another-engine 1\n')).not.toThrow();
    expect(found('v.yaml', 'kind: List\nitems: []\n')).toThrow(/neither chart, by its keys \(kind, items\)/);
    expect(found('v.yaml', '{}')).toThrow(/v\.yaml has no values/);
    expect(found('s.yaml', plainSpec('orders'))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('a spec of holdfast already') }),
    );
  });
});

test('sources: addresses, files, and no passwords', () => {
  expect(parseSource(['sentinel://a:1,b/mymaster'])).toEqual({
    kind: 'sentinels',
    at: [
      { address: 'a', port: 1 },
      { address: 'b', port: 26_379 },
    ],
    username: '',
    name: 'mymaster',
    tls: false,
  });
  expect(parseSource(['rediss://[::1]:7000'])).toEqual({
    kind: 'server',
    at: { address: '::1', port: 7000 },
    username: '',
    tls: true,
  });
  expect(parseSource(['a.conf', 'b.conf'])).toEqual({ kind: 'files', files: ['a.conf', 'b.conf'] });
  expect(() => parseSource(['redis://me:hunter2@a:1'])).toThrow(/seen by everyone/);
  for (const wrong of ['http://a:1', 'redis://a:99999', 'redis://a:1,b:2', 'redis://a:1/5']) {
    expect(() => parseSource([wrong]), wrong).toThrow(
      expect.objectContaining({ code: 'SERVER_ADDRESS_UNCLEAR' }),
    );
  }
});

test('a first spec is valid', () => {
  const spec = parseSpec(plainSpec('orders'), 'holdfast.yaml');
  expect(spec.name).toBe('orders');
  expect(spec.members).toHaveLength(3);
});

const port = fc.integer({ min: 1024, max: 65_000 });
const text = fc.string({ minLength: 0, maxLength: 12 });
const place = (hosts: readonly string[]) => fc.record({ address: fc.constantFrom(...hosts), port });
const places = (hosts: readonly string[]) =>
  fc.uniqueArray(place(hosts), { minLength: 1, maxLength: 6, selector: (each) => JSON.stringify(each) });
const value = fc.oneof(text, fc.nat().map(String), fc.constantFrom('yes', 'no', '', '1gb', '3600 1 60 5'));
const setting = fc.record({
  name: fc.constantFrom(
    ...['maxmemory', 'maxmemory-policy', 'save', 'appendonly', 'appendfsync', 'min-replicas-to-write', 'hz'],
    ...['min-replicas-max-lag', 'requirepass', 'dir', 'rename-command', 'tls-port', 'min-slaves-to-write'],
  ),
  value,
});
const facts: fc.Arbitrary<Found> = fc
  .oneof(
    fc.constant(['127.0.0.1']),
    fc.constant(['10.0.0.1', '10.0.0.2', '10.0.0.3']),
    fc.constant(['a', 'b']),
  )
  .chain((hosts) =>
    fc.record({
      name: fc.option(text),
      engine: fc.constantFrom('redis' as const, 'valkey' as const, null),
      members: fc.oneof(places(hosts), fc.integer({ min: 0, max: 70 })),
      sentinels: fc.oneof(places(hosts), fc.integer({ min: 0, max: 70 })),
      redisPort: fc.option(fc.integer({ min: 1, max: 60_000 })),
      sentinelPort: fc.option(fc.integer({ min: 1, max: 60_000 })),
      settings: fc.array(setting),
      quorum: fc.option(fc.nat(9)),
      downAfterMs: fc.option(fc.nat(10_000_000)),
      failoverTimeoutMs: fc.option(fc.nat(10_000_000)),
      users: fc.array(
        fc.record({
          name: fc.oneof(text, fc.constantFrom('default', 'app')),
          rules: fc.constantFrom(
            'on ~* &* +@all',
            'off',
            'on nopass ~* &* +@all',
            'on ~* &*hello +@all',
            'on',
          ),
        }),
      ),
      forbidden: fc.array(fc.constantFrom('FLUSHALL', 'KEYS')),
      notes: fc.constant([{ path: ['redis', 'save'], what: 'x\n y: z', why: 'so' }]),
    }),
  );

test('whatever is found becomes a spec that is valid', () => {
  fc.assert(
    fc.property(facts, (found) => {
      written(found);
    }),
    { numRuns: 60 },
  );
});

describe('servers that run', () => {
  const server = (over: Partial<RunningServer>): RunningServer => ({
    address: { address: '127.0.0.1', port: 7000 },
    facts: serverFacts('redis_version:7.0.15\r\n'),
    config: { port: '7000', hz: '10', 'maxmemory-policy': 'noeviction', save: '' },
    users: ['user default on nopass sanitize-payload ~* &* +@all'],
    ...over,
  });

  test('a replica that differs is told of', () => {
    const replica = server({
      config: { port: '7001', hz: '50', 'maxmemory-policy': 'noeviction', save: '' },
    });
    const found = foundRunning([server({}), replica], [], null, noEngine);
    expect(specText(specOf(found), [])).toContain('hz 50 of 127.0.0.1:7000: the spec has one value');
  });

  test('where a server is says nothing of it: what the engine was asked with has a place of its own', () => {
    const place = { unixsocket: '', unixsocketperm: '0', dir: '/data', logfile: '', port: '7000', hz: '10' };
    const asked = {
      unixsocket: '/tmp/s',
      unixsocketperm: '700',
      dir: '/tmp',
      logfile: '',
      port: '0',
      hz: '10',
    };
    const engine = { name: 'redis-server 7.0.15', defaults: asked };
    const found = foundRunning([server({ config: place })], [], null, engine);
    expect(specText(specOf(found), [])).not.toContain('Not carried over: unix');
  });

  test('a managed service that refuses CONFIG and ACL is described by what INFO says', () => {
    const facts = serverFacts(
      `redis_version:7.0.15\r\nmaxmemory:${2 ** 30}\r\nmaxmemory_policy:volatile-lru\r\n`,
    );
    const found = foundRunning([server({ config: null, users: null, facts })], [], null, noEngine);
    const { spec, text: yaml } = written(found);
    expect(spec.redis.maxMemoryBytes).toBe(2 ** 30);
    expect(spec.redis.maxMemoryPolicy).toBe('volatile-lru');
    expect(yaml).toContain('the server refuses CONFIG GET');
    expect(yaml).toContain('the server refuses ACL LIST');
  });
});

test('nothing at all is a server alone', () => {
  expect(written(nothingFound).spec.members).toHaveLength(1);
});
