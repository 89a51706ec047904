import { expect, test } from 'vitest';
import { parseSpec } from '../../spec/parse.ts';
import type { HostFacts } from '../facts/host-facts.ts';
import { missingPackages } from './packages.ts';

const specOf = (more: string) =>
  parseSpec(
    `name: x\nhosts: { a: { address: 10.0.0.1, bind: 0.0.0.0 }, b: { address: 10.0.0.2, bind: 0.0.0.0 } }\nsentinel: { on: [a, b, b] }\n${more}`,
    'x.yaml',
  );
const facts = (programs: string[], servers: [string, string][] = [], os = ['debian']) =>
  ({ host: 'a', os, programs: new Set(programs), servers: new Map(servers) }) as unknown as HostFacts;
const redis: [string, string] = ['/usr/bin/redis-server', 'Redis server v=7.0.15 sha=0'];

test('what the spec places on a host is installed there, and nothing else', () => {
  expect(missingPackages(specOf(''), facts(['apt-get', 'redis-cli'], [redis]))).toBeNull();
  expect(missingPackages(specOf(''), facts(['apt-get']))).toEqual({
    manager: 'apt-get',
    packages: ['redis-server', 'redis-tools'],
    instead: null,
  });
  const withDnf = (engine: string) => missingPackages(specOf(engine), facts(['dnf']))?.instead;
  expect(withDnf('')).toBe('valkey');
  expect(withDnf('redis: { engine: redis }')).toBeNull();
  expect(missingPackages(specOf('redis: { engine: valkey }'), facts(['dnf'], [redis]))?.packages).toEqual([
    'valkey',
  ]);
  const haproxy = specOf('gate: { kind: haproxy, virtualAddress: 10.0.0.9 }');
  expect(missingPackages(haproxy, facts(['apt-get', 'redis-cli'], [redis]))?.packages).toEqual([
    'haproxy',
    'keepalived',
  ]);
  expect(missingPackages(haproxy, facts(['redis-cli', 'haproxy', 'keepalived'], [redis]))).toBeNull();
  const elsewhere = specOf('gate: { on: [b], kind: haproxy }');
  expect(missingPackages(elsewhere, facts(['apt-get'], [redis]))).toBeNull();
});

test.each([
  ['Debian', 'debian', 'apt-get'],
  ['Ubuntu', 'ubuntu debian', 'apt-get'],
  ['Rocky Linux', 'rocky rhel centos fedora', 'dnf'],
  ['AlmaLinux', 'almalinux rhel centos fedora', 'dnf'],
  ['Red Hat Enterprise Linux', 'rhel fedora', 'dnf'],
  ['CentOS Stream', 'centos rhel fedora', 'dnf'],
  ['Oracle Linux', 'ol fedora', 'dnf'],
  ['Fedora', 'fedora', 'dnf'],
  ['Amazon Linux 2023', 'amzn fedora', 'dnf'],
])('%s has what is its own install packages, where both are there', (_, os, manager) => {
  const found = facts(['apt-get', 'dnf'], [], os.split(' '));
  expect(missingPackages(specOf(''), found)?.manager).toBe(manager);
});

test('what can’t be installed is named', () => {
  expect(() => missingPackages(specOf('gate: { virtualAddress: 10.0.0.9 }'), facts([]))).toThrow(
    /host a has no redis-server or valkey-server and no keepalived, and neither apt-get nor dnf/,
  );
  const older = specOf('redis: { version: "8" }');
  expect(() => missingPackages(older, facts(['apt-get'], [redis]))).toThrow(/redis-server 7.0.15/);
});
