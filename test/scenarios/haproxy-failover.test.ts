import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';

let deployment: TestDeployment;
beforeAll(async () => {
  deployment = await TestDeployment.up({ gate: { kind: 'haproxy', statsPort: 'none' } });
  await deployment.waitUntilHealthy();
});
afterAll(() => deployment?.destroy());

test('with HAProxy for a gate: after kill -9 of the primary, clients that connect again write to the new one', async () => {
  // Each try is a connection of its own: HAProxy cuts those to a lost primary.
  const writes = (value: string) =>
    waitFor(async () => (await deployment.client().set('key', value)) === 'OK', {
      what: 'a write through HAProxy',
      withinMs: 10_000,
    });
  await writes('before');
  const old = await deployment.primary();
  process.kill(old.pid as number, 'SIGKILL');
  const began = performance.now();
  await writes('after');
  console.info(
    `HAProxy: the first write was taken ${(performance.now() - began).toFixed(0)} ms after kill -9`,
  );
  const status = await deployment.waitForStatus(
    'the old primary to be a replica of the new one',
    ({ state, primary, members }) =>
      state === 'healthy' &&
      primary !== old.id &&
      members.find(({ id }) => id === old.id)?.role === 'replica',
  );
  expect(status.gates[0]?.state).toBe('open');
  expect(await deployment.client().get('key')).toBe('after');
});
