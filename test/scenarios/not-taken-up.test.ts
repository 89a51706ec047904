/** Sentinels that do not hear the agent that they elected. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';

const saboteur = new URL('../support/sabotage.mjs', import.meta.url).href;
let deployment: TestDeployment;

beforeAll(async () => {
  process.env['NODE_OPTIONS'] = `--import ${saboteur}?no-hello`;
  try {
    deployment = await TestDeployment.up();
  } finally {
    delete process.env['NODE_OPTIONS'];
  }
  await deployment.waitUntilHealthy();
});
afterAll(() => deployment?.destroy());

test('whom it promoted serves, the agent says that the Sentinels do not take that up, and tells them by command', async () => {
  const client = deployment.client();
  const old = await deployment.primary();
  process.kill(old.pid as number, 'SIGKILL');
  const told = () => deployment.events().find(({ kind }) => kind === 'not-taken-up');
  const event = await waitFor(told, { what: 'the agent to say so', withinMs: 60_000, everyMs: 100 });
  expect(event.text).toContain(`and the Sentinels name ${old.id}`);
  expect(await client.set('k', 'v')).toBe('OK');
  const promoted = deployment.events().filter(({ kind }) => kind === 'promoted');
  expect(new Set(promoted.map(({ subject }) => subject))).toEqual(new Set([event.subject]));
  const status = await deployment.waitForStatus('status to say so', ({ problems }) =>
    problems.some((text) => text.startsWith(`${event.subject} was made primary by election and serves`)),
  );
  expect([status.state, status.primary]).toEqual(['degraded', event.subject]);
  const after = await deployment.waitUntilHealthy();
  expect(after.primary).toBe(event.subject);
  expect(after.sentinels.map(({ primary }) => primary)).toEqual(Array(3).fill(event.subject));
  expect(deployment.events().map(({ kind }) => kind)).toContain('sentinels-told');
  // Nothing that was acknowledged meanwhile is lost, and the Sentinels went about it as they were told.
  expect(await client.get('k')).toBe('v');
  expect(new Set(deployment.events().flatMap((e) => (e.kind === 'promoted' ? e.subject : [])))).toEqual(
    new Set([event.subject]),
  );
});
