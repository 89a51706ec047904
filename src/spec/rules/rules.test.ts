import { expect, test } from 'vitest';
import { errorText } from '../../base/errors.ts';
import { parseSpec } from '../parse.ts';

const hosts =
  'hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 }, d: { address: 10.0.0.4 } }';

/** Made by age-keygen for this test. */
const recipient = 'age1czsxdjc8rln9vh3nwgzswwgjnl0pacfptg30rvwa635cr28tfeaqv6www9';

function verdict(text: string): string {
  try {
    parseSpec(`name: x\n${text}`, 'x.yaml');
    return 'accepted';
  } catch (error) {
    return errorText(error);
  }
}

/** Each dangerous spec, a part of the refusal, and its harmless neighbour: the rule alone makes the difference. */
const cases: [rule: string, dangerous: string, words: string, harmless: string][] = [
  ['fewer than three Sentinels', 'sentinel: { count: 1 }', 'found 1, at least 3', 'sentinel: { count: 3 }'],
  ['an even number of Sentinels', 'sentinel: { count: 4 }', 'use an odd number', 'sentinel: { count: 5 }'],
  [
    'too few hosts for Sentinels',
    'hosts: { a: { address: h1 }, b: { address: h2 } }',
    'at least 3',
    'hosts: { a: { address: h1 }, b: { address: h2 } }\nsentinel: { on: [a, b, b] }',
  ],
  ['a quorum out of reach', 'sentinel: { quorum: 4 }', 'can never be reached', 'sentinel: { quorum: 3 }'],
  ['a quorum below a majority', 'sentinel: { quorum: 1 }', 'below a majority', 'sentinel: { quorum: 2 }'],
  [
    'detection too fast',
    'sentinel: { detectAfter: 2999ms }',
    'one that is healthy',
    'sentinel: { detectAfter: 3s }',
  ],
  [
    'a failover timeout too short',
    'sentinel: { detectAfter: 10s, failoverTimeout: 15s }',
    'at least twice',
    'sentinel: { detectAfter: 10s, failoverTimeout: 20s }',
  ],
  [
    'no persistence and no replica',
    'redis: { members: 1, persistence: none }',
    'come back empty',
    'redis: { members: 1, persistence: none }\nagent: { restarts: { limit: 0 } }',
  ],
  [
    'save points without persistence',
    'redis: { persistence: none, save: ["1 1"] }',
    'found save points',
    'redis: { persistence: rdb, save: ["1 1"] }',
  ],
  [
    'rdb without save points',
    'redis: { persistence: rdb, save: [] }',
    'nothing would ever be saved',
    'redis: { save: [] }',
  ],
  [
    'as many replicas to write as members',
    'redis: { minReplicasToWrite: 3 }',
    'never take a write',
    'redis: { minReplicasToWrite: 2 }',
  ],
  [
    'a lag that has no effect',
    'redis: { members: 2, minReplicasMaxLag: 5s }',
    'no effect',
    'redis: { members: 2, minReplicasMaxLag: 5s, minReplicasToWrite: 1 }',
  ],
  ['two things on one port', 'gate: { port: 7080 }', 'gate-1 uses', 'gate: { port: 7090 }'],
  [
    'a door on the port of the other',
    'gate: { port: 7000, replicaPort: 7000 }',
    'which gate-1 uses',
    'gate: { port: 7000, replicaPort: none }',
  ],
  ['ports beyond the last', 'redis: { port: 65534 }', 'must end at 65535', 'redis: { port: 65533 }'],
  [
    'mixed addresses',
    'hosts: { a: { address: 10.0.0.1 }, b: { address: h2 }, c: { address: 10.0.0.3 } }',
    'one kind for all',
    'hosts: { a: { address: h1 }, b: { address: h2 }, c: { address: h3 } }',
  ],
  [
    'one address for two hosts',
    'hosts: { a: { address: h1 }, b: { address: H1 }, c: { address: h3 } }',
    "the address of host 'a'",
    'hosts: { a: { address: h1 }, b: { address: h2 }, c: { address: h3 } }',
  ],
  [
    'one address of IPv6, written in two ways',
    'hosts: { a: { address: "fd00::1" }, b: { address: "FD00:0::1" }, c: { address: "fd00::3" } }',
    "the address of host 'a'",
    'hosts: { a: { address: "fd00::1" }, b: { address: "fd00::2" }, c: { address: "fd00::3" } }',
  ],
  [
    'an unknown host',
    `${hosts}\nredis: { on: [a, e] }`,
    "'e', which is not in `hosts`",
    `${hosts}\nredis: { on: [a, d] }`,
  ],
  [
    'a number of members beside hosts',
    `${hosts}\nredis: { members: 3 }`,
    'say which',
    `${hosts}\nredis: { on: [a, b, c] }`,
  ],
  ['hosts to run on, but no hosts', 'redis: { on: [a] }', 'it needs `hosts`', 'redis: { members: 2 }'],
  ['two gates on a host', `${hosts}\ngate: { on: [a, a] }`, 'gate.workers', `${hosts}\ngate: { on: [a, b] }`],
  [
    'replicated durability through HAProxy',
    'gate: { kind: haproxy, durability: replicated }',
    'beyond HAProxy',
    'gate: { kind: haproxy }',
  ],
  [
    'statistics of an HAProxy that is not there',
    'gate: { statsPort: 8404 }',
    "HAProxy's page",
    'gate: { kind: haproxy, statsPort: 8404 }',
  ],
  [
    'statistics on a taken port',
    'gate: { kind: haproxy, statsPort: 7080 }',
    "gate-1's statistics",
    'gate: { kind: haproxy, statsPort: none }',
  ],
  [
    'a managed directive',
    'redis: { config: { Port: 1 } }',
    'redis.port sets it',
    'redis: { config: { io-threads: 2 } }',
  ],
  [
    'two lines in a directive',
    'redis: { config: { hz: "10\\nport 1" } }',
    'more than one line',
    'redis: { config: { hz: "10" } }',
  ],
  [
    'a directive twice',
    'redis: { config: { hz: 10, HZ: 20 } }',
    'written twice',
    'redis: { config: { hz: [10, 20] } }',
  ],
  [
    'a directive by two of its names',
    'redis: { config: { hash-max-ziplist-entries: 10, hash-max-listpack-entries: 20 } }',
    'hash-max-ziplist-entries is another name of it',
    'redis: { config: { hash-max-ziplist-entries: 10, hash-max-listpack-value: 20 } }',
  ],
  [
    'a password as one of Valkey’s directives',
    'redis: { config: { primaryauth: hunter2 } }',
    'a password in the spec',
    'redis: { config: { constructor: 1, toString: 2, valueOf: 3 } }',
  ],
  [
    'a password as a directive',
    'redis: { config: { requirepass: 1 } }',
    'a password in the spec',
    'redis: { config: { hz: 1 } }',
  ],
  [
    'a password of a user',
    'security: { users: { app: { password: hunter2 } } }',
    'a password in the spec',
    'security: { users: { app: { password: { env: PW } } } }',
  ],
  [
    'a password in ACL rules',
    'security: { users: { app: { password: { env: PW }, acl: "~* >hunter2" } } }',
    'a password in the spec',
    'security: { users: { app: { password: { env: PW }, acl: "~a:* +@read" } } }',
  ],
  [
    'a user without password',
    'security: { users: { app: { password: { env: PW }, acl: "nopass +@all" } } }',
    "undoes the user's password",
    'security: { users: { app: { password: { env: PW }, acl: "allkeys +@all" } } }',
  ],
  [
    'the secret itself',
    'security: { secret: hunter2 }',
    'a password in the spec',
    'security: { secret: { file: s } }',
  ],
  [
    'a key in a store’s address',
    'backup: { to: "s3://key:hunter2@bucket/" }',
    'a password in the spec',
    'backup: { to: "s3://bucket/" }',
  ],
  [
    'a reserved user',
    'security: { users: { holdfast-x: { password: { env: PW } } } }',
    "holdfast's own users",
    'security: { users: { my-holdfast: { password: { env: PW } } } }',
  ],
  [
    'an ACL rule that is none',
    'security: { users: { app: { password: { env: PW }, acl: "read" } } }',
    'not an ACL rule',
    'security: { users: { app: { password: { env: PW }, acl: "%R~a* (+get ~b)" } } }',
  ],
  [
    'half of TLS',
    'security: { tls: { cert: c.pem, key: k.pem } }',
    'security.tls.ca: it is missing',
    'security: { tls: { cert: c.pem, key: k.pem, ca: ca.pem } }',
  ],
  [
    'an authority that hosts would make one by one',
    'hosts: { a: { address: 10.0.0.1 } }\nsentinel: { on: [a, a, a] }\nsecurity: { tls: auto }',
    "security.tls: found 'auto', and host a is not reached by ssh",
    'hosts: { a: { address: 10.0.0.1, ssh: a } }\nsentinel: { on: [a, a, a] }\nsecurity: { tls: auto }',
  ],
  [
    'half a TLS for the API',
    'agent: { tls: { cert: c.pem, ca: ca.pem } }',
    'agent.tls.key: it is missing',
    'agent: { tls: { cert: c.pem, key: k.pem, ca: ca.pem } }',
  ],
  [
    'an open API that knows no one',
    'agent: { bind: 0.0.0.0 }',
    'without security.secret',
    'agent: { bind: 0.0.0.0 }\nsecurity: { secret: { env: S } }',
  ],
  [
    'an open API of hosts that know no one, for some of which apply can’t bring a secret',
    'hosts: { a: { address: h1, ssh: a }, b: { address: h2 } }\nsentinel: { on: [a, b, b] }\nagent: { bind: 0.0.0.0 }',
    'give every host ssh',
    'hosts: { a: { address: h1, ssh: a }, b: { address: h2, ssh: b } }\nsentinel: { on: [a, b, b] }\nagent: { bind: 0.0.0.0 }',
  ],
  ...[
    ['an address that nobody listens on', 'a: { address: 10.0.0.1 }', '10.0.0.9', 'does not listen'],
    ['an address that a host has', 'a: { address: 10.0.0.1, bind: 0.0.0.0 }', '10.0.0.2', "host 'b' has"],
    ['no address', 'a: { address: 10.0.0.1, bind: 0.0.0.0 }', '10.0.0/24', 'an IP address, maybe with /bits'],
  ].map(([rule = '', a, address, words = '']): (typeof cases)[number] => {
    const text = (first: string, at: string) =>
      `hosts: { ${first}, b: { address: 10.0.0.2, bind: 0.0.0.0 } }\nsentinel: { on: [a, b, b] }\ngate: { virtualAddress: ${at} }`;
    const harmless = text('a: { address: 10.0.0.1, bind: 0.0.0.0 }', '10.0.0.9/24');
    return [rule, text(a ?? '', address ?? ''), words, harmless];
  }),
  [
    'certificates of clients without TLS',
    'gate: { clientCertificates: required }',
    'over TLS only',
    'gate: { clientCertificates: required }\nsecurity: { tls: auto }',
  ],
  [
    'an address that can move nowhere',
    'gate: { virtualAddress: 10.0.0.9 }',
    'fewer than two gates',
    'gate: { port: 7000 }',
  ],
  [
    'an API on an address and on all of them',
    'agent: { bind: [127.0.0.1, 0.0.0.0] }\nsecurity: { secret: { env: S } }',
    "agent.bind: found '127.0.0.1' beside '0.0.0.0'",
    'agent: { bind: [127.0.0.1, "::1"] }\nsecurity: { secret: { env: S } }',
  ],
  [
    'an API twice on one address',
    'agent: { bind: [127.0.0.1, 127.0.0.1] }',
    "found '127.0.0.1' twice",
    'agent: { bind: 127.0.0.1 }',
  ],
  [
    'a schedule that is no cron line',
    'backup: { to: "file:///b", schedule: "61 * * * *" }',
    "found '61 * * * *'",
    'backup: { to: "file:///b", schedule: "59 * * * *" }',
  ],
  [
    'a schedule that never comes',
    'backup: { to: "file:///b", schedule: "0 0 31 2 *" }',
    'never comes',
    'backup: { to: "file:///b", schedule: "0 0 29 2 *" }',
  ],
  [
    'seconds in a schedule',
    'backup: { to: "file:///b", schedule: "* * * * * *" }',
    'five fields',
    'backup: { to: "file:///b", schedule: "@daily" }',
  ],
  [
    'an unknown time zone',
    'backup: { to: "file:///b", timezone: Mars/Base }',
    'IANA',
    'backup: { to: "file:///b", timezone: Europe/Berlin }',
  ],
  [
    'a bucket’s settings for a folder',
    'backup: { to: "file:///b", endpoint: "https://minio:9000" }',
    'no meaning for a folder',
    'backup: { to: "s3://bucket", endpoint: "https://minio:9000" }',
  ],
  [
    'a key in an endpoint',
    'backup: { to: "s3://bucket", endpoint: "https://key:hunter2@minio:9000" }',
    'a password in the spec',
    'backup: { to: "s3://bucket", endpoint: "http://minio:9000/" }',
  ],
  [
    'a KMS key that is not used',
    'backup: { to: "s3://bucket", serverSideEncryption: AES256, kmsKeyId: k }',
    'is not used',
    'backup: { to: "s3://bucket", serverSideEncryption: "aws:kms", kmsKeyId: k }',
  ],
  [
    'an age public key that was copied wrongly',
    `backup: { to: "s3://bucket", encryption: { recipients: [${recipient.replace('p', 'q')}] } }`,
    'checksum',
    `backup: { to: "s3://bucket", encryption: { recipients: [${recipient}] } }`,
  ],
  [
    'an age identity in place of the public key',
    'backup: { to: "s3://bucket", encryption: { recipients: [AGE-SECRET-KEY-1HUNTER2hunter2] } }',
    'a password in the spec',
    `backup: { to: "s3://bucket", encryption: { recipients: [${recipient}] } }`,
  ],
  [
    'backups from a replica where there is none',
    'redis: { members: 1 }\nbackup: { to: "file:///b", from: replica }',
    'no replica',
    'redis: { members: 1 }\nbackup: { to: "file:///b" }',
  ],
  [
    'keeping nothing',
    'backup: { to: "file:///b", keep: { daily: 0 } }',
    'keeps nothing',
    'backup: { to: "file:///b", keep: { maxAge: 30d } }',
  ],
  [
    'a mirror of itself',
    'mirrors: { dr: { to: "redis://127.0.0.1:6380" } }',
    'its own copy',
    'mirrors: { dr: { to: "redis://127.0.0.1:6390" } }',
  ],
  [
    'a password in a mirror’s address',
    'mirrors: { dr: { to: "redis://u:p@h" } }',
    'found a password',
    'mirrors: { dr: { to: "redis://u@h", password: { file: p } } }',
  ],
  [
    'a mirror’s user without a password',
    'mirrors: { dr: { to: "redis://u@h" } }',
    'has no password',
    'mirrors: { dr: { to: "redis://h" } }',
  ],
  [
    'a mirror’s authority without TLS',
    'mirrors: { dr: { to: "redis://h", ca: ca.pem } }',
    'no meaning without TLS',
    'mirrors: { dr: { to: "rediss://h", ca: ca.pem } }',
  ],
  [
    'a prefix with two routes',
    'gate: { routes: { a: { to: "redis://h", prefixes: ["a:"] }, b: { to: "redis://i", prefixes: ["a:"] } } }',
    'belongs to a already',
    'gate: { routes: { a: { to: "redis://h", prefixes: ["a:"] }, b: { to: "redis://i", prefixes: ["a:b:"] } } }',
  ],
  [
    'a route’s user without a password',
    'gate: { routes: { a: { to: "sentinel://u@h,i:7/orders", prefixes: [a] } } }',
    'has no password',
    'gate: { routes: { a: { to: "sentinel://u@h,i:7/orders", prefixes: [a], password: { env: P } } } }',
  ],
  [
    'a password in a route’s address',
    'gate: { routes: { a: { to: "redis://u:hunter2@h", prefixes: [a] } } }',
    'found a password',
    'gate: { routes: { a: { to: "redis://u@h", prefixes: [a], password: { file: p } } } }',
  ],
  [
    'routes with HAProxy',
    'gate: { kind: haproxy, routes: { a: { to: "redis://h", prefixes: [a] } } }',
    'beyond HAProxy',
    'gate: { routes: { a: { to: "redis://h", prefixes: [a] } } }',
  ],
];

test.each(cases)('refused: %s', (_rule, dangerous, words, harmless) => {
  const refusal = verdict(dangerous);
  expect(refusal).toContain(words);
  expect(refusal).toMatch(/x\.yaml:\d+:\d+: /);
  expect(refusal, 'a message must not repeat a password').not.toContain('hunter2');
  expect(verdict(harmless)).toBe('accepted');
});
