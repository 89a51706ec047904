/** `durability: replicated`: a replica that has just copied everything lacks what was acknowledged meanwhile. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';

let deployment: TestDeployment;

beforeAll(async () => {
  deployment = await TestDeployment.up({ gate: { durability: 'replicated', hold: '30s' } });
  await deployment.waitUntilHealthy();
});
afterAll(() => deployment?.destroy());

const keys = 40;
/** For each key, when a copy is made and when it is loaded, in microseconds. */
const delay = '20000';
/** So long the primary answers nobody: shorter than what is taken for a hang. */
const busyMs = 2500;
const busy = `local t = redis.call('TIME')
local now = function() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
local untilMs = now() + ${busyMs}
while now() < untilMs do end`;

test('it is not promoted before it has that, whoever else is lost', async () => {
  const writer = deployment.client();
  for (let i = 0; i < keys; i++) await writer.set(`before:${i}`, 'x');
  const { members } = await deployment.status();
  for (const { port } of members) await deployment.client(port).config('SET', 'rdb-key-save-delay', delay);
  const first = await deployment.primary();
  process.kill(first.pid as number, 'SIGKILL');
  const { primary } = await deployment.waitForStatus(
    'another primary',
    ({ primary }) => primary !== first.id,
  );
  const fresh = deployment.client(first.port, { enableReadyCheck: false, retryStrategy: () => 20 });
  const says = (pattern: RegExp, what: string) =>
    waitFor(async () => pattern.test(await fresh.info()), { what, withinMs: 20_000, everyMs: 5 });
  await says(/^master_sync_in_progress:1/m, 'the copying to begin');
  await fresh.config('SET', 'key-load-delay', delay);
  // These are on the other replica, and not in the copy.
  for (let i = 0; i < keys; i++) expect(await writer.set(`after:${i}`, 'x')).toBe('OK');
  const second = members.find(({ id }) => id === primary) as (typeof members)[0];
  const onSecond = deployment.client(second.port);
  const sent = new RegExp(`^slave.*port=${first.port},state=online`, 'm');
  const isSent = async () => sent.test(await onSecond.info('replication'));
  await waitFor(isSent, { what: 'the copy to be sent', withinMs: 20_000, everyMs: 5 });
  // Loading takes a while; when it is over, the primary does not hear of it.
  void onSecond.eval(busy, 0).catch(() => {});
  await says(/^master_link_status:up/m, 'the copy to be there');
  await deployment.waitForStatus('the agent to know it', ({ members }) =>
    members.some(({ id, linkUp }) => id === first.id && linkUp),
  );
  const pids = (await deployment.status()).members.flatMap(({ id, pid }) =>
    id === first.id ? [] : [pid as number],
  );
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await deployment.waitUntilHealthy(30_000);
  const reader = deployment.client();
  const lost: string[] = [];
  for (let i = 0; i < keys; i++) if ((await reader.get(`after:${i}`)) === null) lost.push(`after:${i}`);
  expect(lost).toEqual([]);
}, 90_000);
