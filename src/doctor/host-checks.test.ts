import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseSpec } from '../spec/parse.ts';
import { type Result, runChecks } from './check.ts';
import { type HostFacts, readHost } from './host/host-facts.ts';
import { hostChecks } from './host-checks.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'holdfast-machine-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const gb = 2 ** 20; // in kB, as /proc/meminfo counts

/** A machine on which nothing is wrong, for three members of 1gb. */
const healthy: Record<string, string> = {
  '/proc/sys/vm/overcommit_memory': '1\n',
  '/proc/sys/vm/swappiness': '1\n',
  '/proc/sys/net/core/somaxconn': '4096\n',
  '/proc/sys/net/ipv4/tcp_max_syn_backlog': '8192\n',
  '/sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n',
  '/proc/meminfo': `MemTotal: ${16 * gb} kB\nMemAvailable: ${12 * gb} kB\nSwapTotal: ${gb} kB\nSwapFree: ${gb} kB\n`,
  '/sys/fs/cgroup/memory.max': 'max\n',
  '/proc/mounts': '/dev/sda1 / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n',
  '/proc/self/limits':
    'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 1048576              files\n',
  '/proc/1/comm': 'systemd\n',
  '/proc/42/comm': 'chronyd\n',
  '/proc/cpuinfo': 'processor\t: 0\nprocessor\t: 1\nprocessor\t: 2\nprocessor\t: 3\n',
};

const spec = parseSpec('name: x\nredis: { maxMemory: 1gb }', 'x.yaml');

function results(changed: Record<string, string | null>, facts: Partial<HostFacts> = {}): Result[] {
  for (const [file, text] of Object.entries({ ...healthy, ...changed })) {
    if (text === null) continue;
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  const machine = {
    ...readHost(spec, null, '/var/lib/holdfast/x', root),
    freeDiskBytes: 100 * 2 ** 30,
    clockSteps: [],
    ...facts,
  };
  return runChecks(hostChecks, machine);
}

const bad = (found: Result[]) =>
  found.filter(({ severity }) => severity === 'critical' || severity === 'warning');

test('on a healthy machine every check looks, and finds nothing', () => {
  const found = results({});
  expect(found.filter(({ severity }) => severity !== 'ok')).toEqual([]);
  expect(new Set(found.map(({ id }) => id)).size).toBe(hostChecks.length);
});

const sick: [
  id: string,
  severity: string,
  words: string,
  changed: Record<string, string>,
  facts?: Partial<HostFacts>,
][] = [
  ['overcommit-memory', 'critical', 'is 0; it should be 1', { '/proc/sys/vm/overcommit_memory': '0' }],
  ['overcommit-memory', 'critical', 'is 2;', { '/proc/sys/vm/overcommit_memory': '2' }],
  ['swappiness', 'warning', 'is 60', { '/proc/sys/vm/swappiness': '60' }],
  ['somaxconn', 'warning', 'at least 4096', { '/proc/sys/net/core/somaxconn': '128' }],
  ['syn-backlog', 'warning', 'at least 4096', { '/proc/sys/net/ipv4/tcp_max_syn_backlog': '512' }],
  [
    'huge-pages',
    'warning',
    'always on',
    { '/sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never' },
  ],
  [
    'swap',
    'warning',
    'in use',
    { '/proc/meminfo': `MemTotal: ${16 * gb} kB\nSwapTotal: ${gb} kB\nSwapFree: 0 kB` },
  ],
  [
    'memory',
    'warning',
    'want 7.5 GiB',
    { '/proc/meminfo': `MemTotal: ${4 * gb} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB` },
  ],
  [
    'memory',
    'critical',
    'want 7.5 GiB',
    { '/proc/meminfo': `MemTotal: ${2 * gb} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB` },
  ],
  ['cgroup-memory', 'critical', 'limited to 2.0 GiB', { '/sys/fs/cgroup/memory.max': `${2 ** 31}` }],
  [
    'cgroup-memory',
    'critical',
    'limited to 1.0 GiB',
    { '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${2 ** 30}` },
  ],
  ['disk', 'warning', '18.0 GiB are wanted', {}, { freeDiskBytes: 10 * 2 ** 30 }],
  ['disk', 'critical', '18.0 GiB are wanted', {}, { freeDiskBytes: 2 ** 30 }],
  [
    'file-system',
    'critical',
    'tmpfs',
    { '/proc/mounts': '/dev/sda1 / ext4 rw 0 0\ntmpfs /var/lib tmpfs rw 0 0' },
  ],
  ['file-system', 'warning', 'nfs4', { '/proc/mounts': 'a:/b / nfs4 rw 0 0' }],
  [
    'open-files',
    'warning',
    '4096 open files',
    { '/proc/self/limits': 'Max open files   1024   4096   files' },
  ],
  ['time-synchronisation', 'warning', 'nothing that keeps the clock', { '/proc/42/comm': 'bash' }],
  [
    'clock-steps',
    'warning',
    '2 h 0 min ago the clock of host a was set back by 5.0 s (2 times in 24 hours)',
    {},
    {
      nowMs: 100 * 3_600_000,
      clockSteps: [1, 90, 98].map((hour) => ({
        atMs: hour * 3_600_000,
        text: 'the clock of host a was set back by 5.0 s',
      })),
    },
  ],
  [
    'processors',
    'warning',
    '2 processors for 3 members',
    { '/proc/cpuinfo': 'processor : 0\nprocessor : 1\n' },
  ],
];

test.each(sick)('%s (%s): %s', (id, severity, words, changed, facts) => {
  const found = bad(results(changed, facts));
  expect(found.map((each) => `${each.id} ${each.severity}`)).toEqual([`${id} ${severity}`]);
  const [finding] = found;
  expect(finding?.found).toContain(words);
  expect(finding?.fix).toMatch(/\S/);
  expect(finding?.why).toMatch(/\.$/);
  expect(finding?.link).toMatch(/^https:/);
});

test('what a machine does not tell is skipped, not passed', () => {
  const nothing = { ...readHost(spec, null, '/x', path.join(root, 'empty')), freeDiskBytes: undefined };
  const found = runChecks(hostChecks, nothing);
  const looked = found.filter(({ severity }) => severity !== 'skipped').map(({ id }) => id);
  // No control group to be seen means that none limits anything.
  expect(looked).toEqual(['cgroup-memory']);
});

test('with maxMemory unset, a container’s limit is a warning', () => {
  const open = parseSpec('name: x', 'x.yaml');
  const found = results({ '/sys/fs/cgroup/memory.max': `${2 ** 31}` }, { spec: open });
  expect(bad(found).map(({ id, severity }) => `${id} ${severity}`)).toEqual(['cgroup-memory warning']);
});
