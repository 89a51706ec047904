/** `durability: replicated`: a replica that has just copied everything lacks what was acknowledged meanwhile. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';
import { isWhole } from '../support/whole-run.ts';

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
  const setAll = async (name: string, value: string) => {
    for (const { port } of members) {
      const client = deployment.client(port, { enableReadyCheck: false });
      await client.config('SET', name, value);
      await client.config('REWRITE');
    }
  };
  await setAll('rdb-key-save-delay', delay);
  // Whoever has to copy everything waits for it.
  await setAll('repl-diskless-sync-delay', '60');
  const first = await deployment.primary();
  process.kill(first.pid as number, 'SIGKILL');
  const isAnother = ({ primary }: { primary: string | null }) => primary !== null && primary !== first.id;
  const { primary } = await deployment.waitForStatus('another primary', isAnother);
  const second = members.find(({ id }) => id === primary) as (typeof members)[0];
  const onSecond = deployment.client(second.port);
  const listed = async (state: string) =>
    new RegExp(`^slave.*port=${first.port},state=${state}`, 'm').test(await onSecond.info('replication'));
  await waitFor(() => listed('wait_bgsave'), { what: 'the lost one to ask for a copy', withinMs: 60_000 });
  const fresh = deployment.client(first.port, { enableReadyCheck: false });
  await fresh.config('SET', 'key-load-delay', delay);
  // Only the next copy is to be slow.
  await setAll('repl-diskless-sync-delay', '0');
  const says = (client: typeof fresh, pattern: RegExp, what: string) =>
    waitFor(async () => pattern.test(await client.info()), { what, withinMs: 60_000, everyMs: 5 });
  await says(onSecond, /^rdb_bgsave_in_progress:1/m, 'the copying to begin');
  await setAll('rdb-key-save-delay', '0');
  // These are on the other replica, and not in the copy.
  for (let i = 0; i < keys; i++) expect(await writer.set(`after:${i}`, 'x')).toBe('OK');
  await says(onSecond, /^aof_buffer_length:0/m, 'the AOF to hold them');
  await waitFor(() => listed('online'), { what: 'the copy to be sent', withinMs: 60_000, everyMs: 5 });
  // Loading takes a while; when it is over, the primary does not hear of it.
  void onSecond.eval(busy, 0).catch(() => {});
  await says(fresh, /^master_link_status:up/m, 'the copy to be there');
  const { members: now } = await deployment.waitForStatus('the agent to know it', (status) =>
    status.members.some(({ id, linkUp }) => id === first.id && linkUp),
  );
  for (const { id, pid } of now) if (id !== first.id && pid !== null) process.kill(pid, 'SIGKILL');
  await deployment.waitUntilHealthy(30_000);
  const reader = deployment.client();
  const lost: string[] = [];
  for (let i = 0; i < keys; i++) if ((await reader.get(`after:${i}`)) === null) lost.push(`after:${i}`);
  expect(lost).toEqual([]);
});

/** Takes what is waited for: ten seconds without a primary. */
test.skipIf(!isWhole)('who waits for one that surely has everything is told so, and until when', async () => {
  await deployment.destroy();
  deployment = await TestDeployment.up({ gate: { durability: 'replicated', hold: '30s' } });
  for (let time = 0; time < 3; time++) {
    const { members, primary } = await deployment.waitForStatus('a primary', (status) =>
      status.members.some(({ id, role }) => id === status.primary && role === 'primary'),
    );
    const [from, to] = [members.find(({ id }) => id === primary), members.find(({ id }) => id !== primary)];
    await deployment.client(from?.port).replicaof('127.0.0.1', to?.port as number);
    if (time < 2) await deployment.waitForStatus('the next', (status) => status.primary !== primary);
  }
  const told = () => deployment.events().find(({ kind }) => kind === 'takeover-delayed');
  const event = await waitFor(told, { what: 'it to be told', withinMs: 30_000 });
  expect(event.text).toContain('nobody knows whether they have all that was acknowledged');
  const { problems } = await deployment.status();
  expect(problems).toContain(event.text);
  const { primary } = await deployment.waitUntilHealthy();
  expect(primary).not.toBe(event.subject);
});
