import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseSpec } from './parse.ts';
import { specFileOf } from './write.ts';

test.each(['examples/quickstart.yaml', 'examples/three-hosts.yaml', 'test/fixtures/specs/everything.yaml'])(
  '%s, written with its defaults and read again, is the same spec',
  (file) => {
    const spec = parseSpec(readFileSync(file, 'utf8'), file);
    expect(parseSpec(stringify(specFileOf(spec)), file)).toEqual(spec);
  },
);

test.each([
  'gate: { kind: haproxy, replicaPort: none }',
  'redis: { members: 2, persistence: none }',
  'security: { tls: auto }',
  'security: { tls: auto }\nagent: { tls: { cert: /c, key: /k, ca: /a } }',
  'topology: mirror\nmirror: { ack: all, read: lead }',
  'topology: mirror\nredis: { members: 2 }\nmirror: { ack: quorum }',
  'topology: mirror\nredis: { members: 2 }\nsentinel: { count: 0, detectAfter: 4s }',
  'topology: mirror\nhosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 } }\nsentinel: { count: 0 }',
  'mirrors: { dr: { to: "rediss://w@h", password: { file: /p }, ca: /ca.pem }, b: { to: "redis://h", prefixes: ["a:", b] } }',
  'mirrors: { n: { to: "redis://w@h", password: { env: P }, how: requests, writes: all, percentage: 5, prefixes: ["a:"] }, m: { to: "redis://h", how: requests } }',
  'gate: { routes: { a: { to: "rediss://u@h:7", prefixes: [x], removePrefix: true, password: { file: /p }, ca: /c }, b: { to: "sentinel://h,i:7/n", prefixes: [y], readsHere: true, faults: [{ delay: 50ms, commands: [get] }, { error: "ERR no", percentage: 5 }] } } }',
])('so is a spec with %s', (text) => {
  const spec = parseSpec(`name: x\n${text}`, 'x.yaml');
  expect(parseSpec(stringify(specFileOf(spec)), 'x.yaml')).toEqual(spec);
});
