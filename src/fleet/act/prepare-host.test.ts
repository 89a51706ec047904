import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Packages } from '../plan/packages.ts';
import { installScript } from './prepare-host.ts';

/** What the script has installed by a dnf whose repositories have these. */
function installed(wanted: Omit<Packages, 'manager'>, available: string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-dnf-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dnf = path.join(folder, 'dnf');
  const lists = available.map((each) => `${each}) echo ${each}-0:8.0.1-1.noarch ;;`).join(' ');
  writeFileSync(
    dnf,
    `#!/bin/sh
case "$1" in
  repoquery) case "$3" in ${lists} esac ;;
  install) shift; echo "$*" >> ${folder}/said ;;
esac
`,
  );
  chmodSync(dnf, 0o755);
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
