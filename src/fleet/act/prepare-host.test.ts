import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Packages } from '../plan/packages.ts';
import { installScript } from './prepare-host.ts';

/** What the script has a dnf do whose repositories have these. @param release of Red Hat's family; none of Fedora */
function installed(wanted: Omit<Packages, 'manager'>, available: string[], release = '%rhel'): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-dnf-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dnf = path.join(folder, 'dnf');
  const lists = available.map((each) => `${each}) echo ${each}-0:8.0.1-1.noarch ;;`).join(' ');
  writeFileSync(
    dnf,
    `#!/bin/sh
case "$1" in
  repoquery) case "$3" in ${lists} esac ;;
  module) echo "$*" >> ${folder}/said; exit 1 ;;
  install) shift; echo "$*" >> ${folder}/said ;;
esac
`,
  );
  writeFileSync(path.join(folder, 'rpm'), `#!/bin/sh\necho ${release}\n`);
  for (const each of ['dnf', 'rpm']) chmodSync(path.join(folder, each), 0o755);
  const env = { PATH: `${folder}:${process.env['PATH']}` };
  const { status, stderr } = spawnSync('sh', ['-c', installScript({ manager: 'dnf', ...wanted })], {
    env,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return readFileSync(path.join(folder, 'said'), 'utf8').trim();
}

test('Valkey is installed by dnf where there is no Redis, unless the spec says which', () => {
  const either: Omit<Packages, 'manager'> = { packages: ['redis', 'keepalived'], instead: 'valkey' };
  expect(installed(either, ['redis', 'valkey'])).toBe('-y -q redis keepalived');
  expect(installed(either, ['valkey'])).toBe('-y -q valkey keepalived');
  expect(installed({ packages: ['redis'], instead: null }, ['valkey'])).toBe('-y -q redis');
});

test('version 8 of Red Hat’s family is asked for Redis 6, and whatever it says to that, gets what it has', () => {
  const redis: Omit<Packages, 'manager'> = { packages: ['redis'], instead: 'valkey' };
  const asked = 'module enable -y -q redis:6\n-y -q redis';
  expect(installed(redis, ['redis'], '8')).toBe(asked);
  expect(installed({ ...redis, instead: null }, ['redis'], '8')).toBe(asked);
  expect(installed(redis, ['redis'], '9')).toBe('-y -q redis');
  expect(installed({ packages: ['keepalived'], instead: null }, [], '8')).toBe('-y -q keepalived');
});
