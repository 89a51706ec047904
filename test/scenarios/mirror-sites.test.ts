/** Two deployments that each own some keys, and mirror the other's. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';
import { cleanUp } from '../support/redis-processes.ts';

let a: TestDeployment;
let b: TestDeployment;
beforeAll(async () => {
  [a, b] = [await TestDeployment.create(), await TestDeployment.create()];
  const to = (other: TestDeployment, prefixes: string[]) => ({
    redis: { members: 1 },
    mirrors: { site: { to: `redis://127.0.0.1:${other.ports.gate}`, prefixes } },
  });
  a.writeSpec(to(b, ['a:', 'a*']));
  b.writeSpec(to(a, ['b:']));
  await Promise.all([a.start(), b.start()]);
});
afterAll(async () => {
  await Promise.all([a?.destroy(), b?.destroy()]);
  await cleanUp();
});

const keysAt = async (site: TestDeployment) =>
  (await site.client().keys('*')).filter((key) => !key.startsWith('holdfast:')).toSorted();
const untilKeys = async (site: TestDeployment, keys: string[]) =>
  await waitFor(async () => (await keysAt(site)).join() === keys.join(), {
    what: `the keys ${keys.join()}`,
    withinMs: 60_000,
    everyMs: 50,
  });

test('each site has the other’s keys beside its own, and nothing goes round', async () => {
  await a.client().mset('a:1', 'x', 'own', 'of a', 'a*', 'star', 'ab', 'not carried');
  await b.client().mset('b:1', 'y', 'own', 'of b');
  await untilKeys(a, ['a*', 'a:1', 'ab', 'b:1', 'own']);
  await untilKeys(b, ['a*', 'a:1', 'b:1', 'own']);
  expect([await a.client().get('own'), await b.client().get('own')]).toEqual(['of a', 'of b']);
  await a.client().multi().mset('a:2', '2', 'own', '2').rename('a:1', 'elsewhere').del('a*', 'ab').exec();
  await untilKeys(b, ['a:2', 'b:1', 'own']);
  expect(await b.client().get('own')).toBe('of b');
  for (const site of [a, b])
    expect(await site.run('mirror', ['diff', 'site'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('no difference'),
    });
});

test('a site that is emptied takes from the other what was its own, and gets the other’s again', async () => {
  await a.client().flushall();
  await untilKeys(b, ['b:1', 'own']);
  await untilKeys(a, ['b:1']);
  await a.client().set('a:3', 'x');
  await untilKeys(b, ['a:3', 'b:1', 'own']);
});
