/** What people, and full disks, do to a Sentinel: it is told again what to watch, and nobody is killed for it. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';

let deployment: TestDeployment;
beforeAll(async () => {
  deployment = await TestDeployment.up();
  await deployment.waitUntilHealthy();
});
afterAll(() => deployment?.destroy());

const ask = (index: number, ...words: [string, ...string[]]) =>
  deployment.client(deployment.ports.sentinels + index).call(...words);
const confOf = (id: string) => path.join(deployment.stateDir, 'sentinels', id, 'sentinel.conf');
const happened = (kind: string, subject: string) =>
  deployment.events().filter((event) => event.kind === kind && event.subject === subject);

async function settingsOf(index: number): Promise<Record<string, string>> {
  const flat = (await ask(index, 'SENTINEL', 'MASTER', 'test')) as string[];
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? '']] : [])));
}

test('SENTINEL REMOVE: it is given its primary again with all of its settings, and is not killed', async () => {
  const before = await settingsOf(0);
  const pids = deployment.runningPids();
  expect(await ask(0, 'SENTINEL', 'REMOVE', 'test')).toBe('OK');
  await waitFor(() => happened('monitor-restored', 'sentinel-1').length > 0, {
    what: 'it to be told again',
    withinMs: 60_000,
  });
  await deployment.waitUntilHealthy();
  const after = await settingsOf(0);
  const told = ['ip', 'port', 'quorum', 'down-after-milliseconds', 'failover-timeout', 'parallel-syncs'];
  for (const name of told) expect(after[name], name).toBe(before[name]);
  expect(deployment.runningPids()).toEqual(pids);
});

test('all of them forget it: the member that acts as primary is named again', async () => {
  await Promise.all([0, 1, 2].map((index) => ask(index, 'SENTINEL', 'REMOVE', 'test')));
  await waitFor(() => happened('monitor-restored', 'sentinel-3').length > 0, {
    what: 'all of them to be told again',
    withinMs: 60_000,
  });
  const { sentinels } = await deployment.waitUntilHealthy();
  expect(sentinels.map(({ primary }) => primary)).toEqual(['redis-1', 'redis-1', 'redis-1']);
});

test('all of them forget it, and the primary crashes at once: whom they named last is replaced', async () => {
  const before = await deployment.primary();
  await Promise.all([0, 1, 2].map((index) => ask(index, 'SENTINEL', 'REMOVE', 'test')));
  process.kill(before.pid as number, 'SIGKILL');
  const { primary } = await deployment.waitForStatus(
    'another primary that all of them name',
    ({ state, primary: now }) => state === 'healthy' && now !== before.id,
  );
  expect(primary).not.toBe(before.id);
});

test('SENTINEL RESET on all of them, and a crash before they know each other again: all is well within seconds', async () => {
  const before = await deployment.primary();
  await Promise.all([0, 1, 2].map((index) => ask(index, 'SENTINEL', 'RESET', 'test')));
  process.kill(before.pid as number, 'SIGKILL');
  const { primary } = await deployment.waitForStatus(
    'another primary that all of them name',
    ({ state, primary: now }) => state === 'healthy' && now !== before.id,
  );
  expect(primary).not.toBe(before.id);
});

test.each([
  ['is empty', () => ''],
  ['was cut off', (text: string) => text.slice(0, text.indexOf('sentinel monitor') + 30)],
  ['holds what Sentinel refuses', (text: string) => `${text}sentinel known-repl`],
])('a sentinel.conf that %s is made anew at the next start', async (_, broken) => {
  const [, second] = (await deployment.status()).sentinels;
  const conf = confOf('sentinel-2');
  writeFileSync(conf, broken(readFileSync(conf, 'utf8')));
  process.kill(second?.pid as number, 'SIGKILL');
  await deployment.waitForStatus(
    'another process that names the primary',
    ({ state, sentinels: [, now] }) => state === 'healthy' && now?.pid !== second?.pid,
  );
  expect(readFileSync(conf, 'utf8')).toContain('sentinel auth-pass test ');
});

test('after a down, up works with a file of which only the settings are left, and with a second name', async () => {
  const place = ['127.0.0.1', String(deployment.ports.members + 1)] as const;
  await waitFor(
    () =>
      ask(1, 'SENTINEL', 'MONITOR', 'other', ...place, '2').then(
        () => true,
        () => false,
      ),
    { what: 'the Sentinel that was started again', withinMs: 60_000 },
  );
  await deployment.run('down');
  const conf = confOf('sentinel-1');
  const ofPrimary = / (monitor|known-\w+|config-epoch|leader-epoch) test /;
  const left = readFileSync(conf, 'utf8').split('\n');
  writeFileSync(conf, left.filter((line) => !ofPrimary.test(line)).join('\n'));
  await deployment.start();
  await deployment.waitUntilHealthy();
  expect(readFileSync(confOf('sentinel-2'), 'utf8')).toContain('sentinel monitor other 127.0.0.1');
});
