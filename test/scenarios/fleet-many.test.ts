/** A plan and a second apply of a hundred hosts, which are simulated. How long they take: npm run bench:fleet. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { simulateHosts } from '../../bench/simulated-hosts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('of a hundred hosts on which all is as it should be nothing is to be done', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-many-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  simulateHosts(folder, root, 100);
  const env = { ...process.env, PATH: `${folder}/bin:${process.env['PATH']}`, HOME: folder, NO_COLOR: '1' };
  const args = [path.join(root, 'dist/cli/main.js'), 'apply', '--yes'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  expect(stderr).not.toContain('error');
  expect(stdout).toContain('Nothing to do');
  expect(status).toBe(0);
});
