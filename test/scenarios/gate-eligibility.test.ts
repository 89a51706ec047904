import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';

let deployment: TestDeployment;
afterEach(() => deployment.destroy());

/** What each Sentinel knows as the priority of the replica. */
async function prioritiesAtSentinels(port: number): Promise<string[]> {
  const { sentinels } = await deployment.status();
  return Promise.all(
    sentinels.map(async (sentinel) => {
      const client = deployment.client(sentinel.port);
      const replicas = (await client.call('SENTINEL', 'REPLICAS', 'test')) as string[][];
      const field = (fields: string[], name: string) => fields[fields.indexOf(name) + 1];
      const found = replicas.find((fields) => field(fields, 'port') === `${port}`) ?? [];
      return field(found, 'slave-priority') ?? '';
    }),
  );
}

/** Sentinels ask a replica for its priority every ten seconds: it was ineligible when they did, and is eligible now. */
async function makeSentinelsBelieveZero(port: number): Promise<void> {
  const replica = deployment.client(port);
  await replica.config('SET', 'replica-priority', '0');
  const { sentinels } = await deployment.status();
  const askEvery = (ms: number) =>
    Promise.all(
      sentinels.map((each) => deployment.client(each.port).call('SENTINEL', 'DEBUG', 'INFO-PERIOD', ms)),
    );
  await askEvery(100);
  const areTold = async () => (await prioritiesAtSentinels(port)).every((priority) => priority === '0');
  await waitFor(areTold, { what: 'every Sentinel to see the priority 0', withinMs: 60_000 });
  await askEvery(10_000);
  await replica.config('SET', 'replica-priority', '100');
}

const ownPriority = async (client: ReturnType<TestDeployment['client']>) =>
  ((await client.config('GET', 'replica-priority')) as string[])[1];

test('a replica that lives and does not keep up may not be promoted before writes go on without it', async () => {
  deployment = await TestDeployment.up({ gate: { durability: 'replicated', hold: '30s' } });
  const { members } = await deployment.waitUntilHealthy();
  const [, fast, slow] = members as [(typeof members)[0], (typeof members)[0], (typeof members)[0]];
  const writer = deployment.client();
  expect(await writer.set('k', 'before')).toBe('OK');
  const slowClient = deployment.client(slow.port);
  await makeSentinelsBelieveZero(slow.port);
  // It answers everybody, and gets nothing from its primary any more.
  const [, password = ''] = (await slowClient.config('GET', 'masterauth')) as string[];
  await slowClient.config('SET', 'masterauth', 'wrong');
  await slowClient.call('CLIENT', 'KILL', 'TYPE', 'master');
  expect(await writer.set('k', 'after')).toBe('OK');
  expect(await slowClient.get('k')).toBe('before');
  expect(await ownPriority(slowClient)).toBe('0');
  expect(new Set(await prioritiesAtSentinels(slow.port))).toEqual(new Set(['0']));
  const primary = await deployment.primary();
  process.kill(primary.pid as number, 'SIGKILL');
  const promoted = await deployment.waitForStatus('a new primary', ({ primary }) => primary === fast.id);
  expect(promoted.primary).toBe(fast.id);
  expect(await writer.get('k')).toBe('after');
  // The change of primary ended its clients' connections.
  const again = deployment.client(slow.port);
  await again.config('SET', 'masterauth', password);
  const usual = async () => (await ownPriority(again)) === '100';
  await waitFor(usual, { what: 'the slow replica to be eligible again', withinMs: 60_000 });
});
