/** A disk that is full under everything: what runs is looked after all the same. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { runningAgent } from '../../src/agent/state/state-lock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { TestDeployment } from '../support/deployment.ts';
import { isWhole } from '../support/whole-run.ts';

let deployment: TestDeployment;

afterEach(async () => {
  for (const pid of deployment.runningPids()) process.kill(pid, 'SIGKILL');
  await deployment.run('down');
  spawnSync('umount', ['-l', deployment.stateDir]);
  await deployment.destroy();
});

const pidsOf = ({ members, sentinels, gates }: Status) =>
  [...members, ...sentinels, ...gates].map(({ pid }) => pid);

/** Kills it, and waits until it is gone. */
async function loseAgent(): Promise<void> {
  const agent = await runningAgent(path.join(deployment.stateDir, 'agent.json'));
  process.kill(agent?.pid as number, 'SIGKILL');
  await waitFor(() => !isAlive(agent?.pid as number), { what: 'the agent to be gone', withinMs: 60_000 });
}

test.skipIf(process.getuid?.() !== 0 || !isWhole)(
  'an agent that starts on it takes over what runs; where nothing runs it refuses, and says why',
  async () => {
    deployment = await TestDeployment.create();
    const { stateDir } = deployment;
    mkdirSync(stateDir, { mode: 0o700 });
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=700', 'tmpfs', stateDir]);
    expect(mounted.status).toBe(0);
    await deployment.start();
    const before = await deployment.waitUntilHealthy();
    const filler = path.join(stateDir, 'filler');
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']);
    for (const _round of ['once', 'and once more']) {
      await loseAgent();
      const up = await deployment.run('up', [], ['--detach', '--wait', '1s']);
      expect([0, 3], up.stderr).toContain(up.status);
      expect(pidsOf(await deployment.status())).toEqual(pidsOf(before));
      const second = await deployment.run('up', [], ['--detach']);
      expect(second.stdout).toContain('already runs');
    }
    await deployment.waitForStatus('the full disk to be told', ({ problems }) =>
      problems.some((each) => /^the disk of redis-\d is full/.test(each)),
    );
    const asked = await deployment.run('switchover');
    expect(asked.stderr).toMatch(
      /no switchover: the disk of redis-\d is full: .* free in .*SWITCHOVER_REFUSED/,
    );
    expect(asked.stderr).toContain('Make room there');
    rmSync(filler);
    expect(pidsOf(await deployment.waitUntilHealthy())).toEqual(pidsOf(before));
    expect((await deployment.run('down')).status).toBe(0);
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']);
    const refused = await deployment.run('up', [], ['--detach']);
    expect(refused.stderr).toContain('DISK_FULL');
    expect(deployment.runningPids()).toEqual([]);
  },
);
