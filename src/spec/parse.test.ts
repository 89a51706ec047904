import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { HoldfastError } from '../base/errors.ts';
import { parseSpec } from './parse.ts';
import type { Place } from './spec.ts';
import { specFileOf } from './write.ts';

/** What the error says about this spec, one line a problem, without the file name. */
function problems(text: string): string[] {
  try {
    parseSpec(text, 'holdfast.yaml');
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    expect(error.code).toBe('SPEC_INVALID');
    expect(error.exitStatus).toBe(2);
    const lines = error.message.split('\n');
    return (lines.length === 1 ? lines : lines.slice(1)).map((line) =>
      line.trim().replace('holdfast.yaml:', ''),
    );
  }
  throw new Error('the spec was accepted');
}

const hosts = 'hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 } }';
const example = (name: string) =>
  readFileSync(new URL(`../../examples/${name}.yaml`, import.meta.url), 'utf8');
const where = (places: readonly Place[]) => places.map(({ id, host, port }) => `${id} ${host} ${port}`);

test('a name is enough: three members, three Sentinels and a gate on this machine', () => {
  const spec = parseSpec('name: orders\n', 'holdfast.yaml');
  expect(spec.laptop).toBe(true);
  expect(spec.hosts).toEqual([{ id: 'local', address: '127.0.0.1', bind: null, ssh: null }]);
  expect(where(spec.members)).toEqual(['redis-1 local 6379', 'redis-2 local 6380', 'redis-3 local 6381']);
  expect(where(spec.sentinels)).toEqual([
    'sentinel-1 local 26379',
    'sentinel-2 local 26380',
    'sentinel-3 local 26381',
  ]);
  // 6380 and 6381 are taken by members, so the doors move up.
  expect(spec.gates).toEqual([
    { id: 'gate-1', host: 'local', address: '127.0.0.1', port: 6382, replicaPort: 6383 },
  ]);
  expect(spec.redis).toMatchObject({
    persistence: 'aof-everysec',
    minReplicasToWrite: 1,
    maxMemoryBytes: null,
  });
  expect(spec.sentinel).toEqual({ quorum: 2, detectAfterMs: 3000, failoverTimeoutMs: 12_000 });
  expect(spec.agent).toMatchObject({ port: 7080, bind: ['127.0.0.1'], hangAfterMs: 5000 });
  expect(spec.backup).toBeNull();
});

test('the quickstart places what DESIGN says', () => {
  const spec = parseSpec(example('quickstart'), 'quickstart.yaml');
  expect(spec.members.map(({ port }) => port)).toEqual([7101, 7102, 7103]);
  expect(spec.sentinels.map(({ port }) => port)).toEqual([7201, 7202, 7203]);
  expect(spec.gates).toMatchObject([{ port: 7000, replicaPort: 7001 }]);
});

test('with hosts, everything has the same port on each, and units become milliseconds and bytes', () => {
  const spec = parseSpec(example('three-hosts'), 'three-hosts.yaml');
  expect(where(spec.members)).toEqual(['redis-1 a 6379', 'redis-2 b 6379', 'redis-3 c 6379']);
  expect(where(spec.gates)).toEqual(['gate-1 a 6380', 'gate-2 b 6380']);
  expect(spec.hosts[1]).toEqual({ id: 'b', address: '10.0.1.156', bind: null, ssh: 'ec2-user@10.0.1.156' });
  expect(spec.redis.maxMemoryBytes).toBe(4 * 2 ** 30);
  expect(spec.redis.save).toEqual([
    { seconds: 1800, changes: 1 },
    { seconds: 900, changes: 1000 },
  ]);
  expect(spec.backup).toMatchObject({ keep: { daily: 7, hourly: 0, maxAgeMs: null }, verify: 'weekly' });
});

test('a host that is listed twice holds two, on consecutive ports', () => {
  const spec = parseSpec(`name: x\n${hosts}\nsentinel: { on: [a, b, b] }`, 'x.yaml');
  expect(where(spec.sentinels)).toEqual(['sentinel-1 a 26379', 'sentinel-2 b 26379', 'sentinel-3 b 26380']);
});

test('sections may be empty, and an empty tls section means none', () => {
  const spec = parseSpec('name: x\nredis:\nsecurity: { users: {}, tls: { } }\n', 'x.yaml');
  expect(spec.security).toEqual({ users: [], secret: null, tls: null, authority: null });
});

test('tls: auto names files beside the spec, for the API too, unless that has its own', () => {
  const { security, agent } = parseSpec('name: x\nsecurity: { tls: auto }', '/srv/x.yaml');
  expect(security.authority).toBe('/srv/x.tls');
  expect(security.tls).toEqual({
    cert: '/srv/x.tls/host-local.pem',
    key: '/srv/x.tls/host-local.pem',
    ca: '/srv/x.tls/ca.pem',
  });
  expect(agent.tls).toEqual(security.tls);
  const own = parseSpec(
    'name: x\nsecurity: { tls: auto }\nagent: { tls: { cert: c, key: k, ca: a } }',
    '/srv/x.yaml',
  );
  expect(own.agent.tls?.cert).toBe('/srv/c');
});

test('of a tls that is neither a word nor a map with its keys, what is wrong is said where it is', () => {
  expect(() => parseSpec('name: x\nsecurity: { tls: automatic }', 'x.yaml')).toThrow(
    "security.tls: found 'automatic'; allowed: auto, or a map with cert, key and ca",
  );
  expect(() => parseSpec('name: x\nsecurity: { tls: { crt: x } }', 'x.yaml')).toThrow(
    'security.tls.crt: there is no such key here',
  );
  expect(() => parseSpec('name: x\nsecurity: { tls: { cert: 5 } }', 'x.yaml')).toThrow(
    'security.tls.cert: found 5; allowed: the path of a PEM file',
  );
});

test('relative paths start from the folder of the spec', () => {
  const spec = parseSpec('name: x\nsecurity: { secret: { file: secrets/s } }', '/etc/holdfast/x.yaml');
  expect(spec.security.secret).toEqual({ file: '/etc/holdfast/secrets/s' });
});

test('IPv6 addresses and hostnames are addresses', () => {
  const six = 'hosts: { a: { address: "fd00::1" }, b: { address: "fd00::2" }, c: { address: "fd00::3" } }';
  expect(parseSpec(`name: x\n${six}`, 'x.yaml').members[2]?.address).toBe('fd00::3');
  const names = 'hosts: { a: { address: a.example }, b: { address: b.example }, c: { address: c.example } }';
  expect(parseSpec(`name: x\n${names}`, 'x.yaml').members[0]?.address).toBe('a.example');
});

test('every problem is listed, with line, column, key, what was found and what is allowed', () => {
  const found = problems(
    [
      'name: orders',
      'redis:',
      '  pesistence: rdb',
      '  persistence: aof',
      '  port: 70000',
      'sentinl: {}',
    ].join('\n'),
  );
  expect(found).toEqual([
    expect.stringMatching(
      /^3:3: redis\.pesistence: there is no such key here \(did you mean 'persistence'\?\); allowed: /,
    ),
    "4:16: redis.persistence: found 'aof'; allowed: one of none, rdb, aof-everysec, aof-always",
    '5:9: redis.port: found 70000; allowed: a whole number from 1 to 65535',
    expect.stringMatching(/^6:1: sentinl: .*did you mean 'sentinel'/),
  ]);
});

test('a missing name is a problem of its own', () => {
  expect(problems('redis: {}')).toEqual([expect.stringContaining('name: it is missing')]);
  expect(problems('')).toEqual([expect.stringContaining('name: it is missing')]);
  expect(problems('- a')).toEqual([expect.stringContaining('the spec: found a list; allowed: a map')]);
});

test('faults of the YAML itself have their place too', () => {
  expect(problems('name: a\nname: b')).toEqual(['2:1: this key is written twice in the same map; keep one']);
  expect(problems('name: x\nredis:\n\tport: 1')).toEqual([expect.stringMatching(/^3:\d+: .*[Tt]ab/)]);
  expect(problems('name: [')).toEqual([expect.stringMatching(/^1:\d+: /)]);
});

test('durations need a unit and sizes a number', () => {
  expect(problems('name: x\ngate: { hold: 10 }')).toEqual([
    '2:15: gate.hold: found 10; allowed: a duration from 0ms to 10m, such as 500ms, 10s, 5m, 2h or 7d',
  ]);
  expect(problems('name: x\nredis: { maxMemory: 4 gigs }')).toEqual([
    expect.stringContaining("found '4 gigs'; allowed: a size"),
  ]);
});

test.each([
  ['10.0.0.300', 'a number at the end is not a hostname'],
  ['0.0.0.0', 'a wildcard is no place to connect to'],
  ['10.0.0.1:6379', 'the port has a key of its own'],
  ['"[fd00::1]"', 'brackets belong to ports'],
  ['a_b..c', 'an empty label'],
])('the address %s is refused: %s', (address) => {
  expect(problems(`name: x\nhosts: { a: { address: ${address} } }`)[0]).toContain(
    '2:24: hosts.a.address: found',
  );
});

test('random text is refused with SPEC_INVALID and nothing else', () => {
  for (const text of [
    '%',
    '{',
    '&a *a',
    '!!js/function x',
    '"\u0000"',
    '? [a]\n: b',
    'name: *nobody',
    '---\na: 1\n---\nb: 2',
  ]) {
    expect(problems(text).length).toBeGreaterThan(0);
  }
});

test('ids that are named are kept, and have to be as many different ones as there are places', () => {
  const hosts =
    '{ b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 }, d: { address: 10.0.0.4 }, e: { address: 10.0.0.5 } }';
  const text = (ids: string) => `name: orders
hosts: ${hosts}
redis: { on: [b, c, d], ids: [${ids}] }
sentinel: { on: [b, c, d, e], ids: [sentinel-2, sentinel-3, sentinel-4, sentinel-5] }`;
  const spec = parseSpec(text('redis-2, redis-3, redis-4'), 'holdfast.yaml');
  expect(where(spec.members)).toEqual(['redis-2 b 6379', 'redis-3 c 6379', 'redis-4 d 6379']);
  // Between two odd numbers of Sentinels there is an even one.
  expect(parseSpec(stringify(specFileOf(spec)), 'holdfast.yaml')).toEqual(spec);
  for (const wrong of [
    'redis-2, redis-3',
    'redis-2, redis-2, redis-3',
    'redis-2, redis-3, gate-1',
    'redis-0, redis-1, redis-2',
  ])
    expect(() => parseSpec(text(wrong), 'holdfast.yaml')).toThrow(/redis.ids: found/);
});
