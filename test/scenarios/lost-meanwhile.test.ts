/** A primary that is lost in the middle of something planned: that gives way, and the primary is replaced once, at once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { startCli } from '../support/cli-process.ts';
import { TestDeployment } from '../support/deployment.ts';

let deployment: TestDeployment;

beforeAll(async () => {
  deployment = await TestDeployment.up({ sentinel: { detectAfter: '30s' } });
  await deployment.waitUntilHealthy();
  await deployment.client().set('kept', 'yes');
});
afterAll(() => deployment?.destroy());

const promotions = () => deployment.events().filter(({ kind }) => kind === 'promoted').length;

test('a restart that waits for a replica gives way, and the write goes on long before the Sentinels notice', async () => {
  const { members } = await deployment.waitUntilHealthy();
  const primary = await deployment.primary();
  const replica = members.find(({ id }) => id !== primary.id) as (typeof members)[number];
  const before = promotions();
  // It never gets its link back: the restart would wait for that for a minute.
  await deployment.client(primary.port).config('SET', 'repl-diskless-sync-delay', '600');
  const restart = startCli(['restart', replica.id, deployment.specFile, '--state-dir', deployment.stateDir]);
  await deployment.waitForStatus('the replica to be started again', ({ members: now, operation }) => {
    const each = now.find(({ id }) => id === replica.id);
    return operation !== null && each?.pid !== null && each?.pid !== replica.pid;
  });
  process.kill(primary.pid as number, 'SIGKILL');
  expect(await deployment.client().get('kept')).toBe('yes');
  expect(await deployment.client().set('more', 'yes')).toBe('OK');
  expect(await restart.ended).toBe(1);
  expect(restart.said()).toContain(
    `a restart was given up: the process of the primary ${primary.id} is gone`,
  );
  const { state } = await deployment.waitUntilHealthy();
  expect([state, promotions() - before]).toEqual(['healthy', 1]);
  expect(isAlive(primary.pid as number)).toBe(false);
});
