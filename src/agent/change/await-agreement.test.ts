import { expect, test } from 'vitest';
import { aPrimary, aReplica, aView, threeSentinels } from '../../../test/support/views.ts';
import type { SentinelView, View } from '../../topology/view.ts';
import { type Change, successorOf, waitForAgreement } from './await-agreement.ts';

const change: Change = {
  ...{ from: 'redis-1', to: 'redis-2', epoch: 5, unlinked: new Set(), refusals: new Map() },
  takesWrites: Promise.resolve(),
};
const members = (primary: string) =>
  ['redis-1', 'redis-2', 'redis-3'].map((id) => (id === primary ? aPrimary(id) : aReplica(id)));
const naming = (primary: string, configEpoch: number, said: Partial<SentinelView> = {}): View =>
  aView({ members: members(primary), sentinels: threeSentinels({ primary, configEpoch, ...said }) });

/** Each look finds the next of these. */
function wait(views: readonly View[], more: Partial<Change> = {}): Promise<string[]> {
  let at = -1;
  return waitForAgreement(
    {
      deployment: { view: () => views[Math.min(at, views.length - 1)] as View },
      observer: {
        lookAtAll: async () => {
          at += 1;
        },
      },
      operation: { signal: new AbortController().signal },
    },
    { ...change, ...more },
  );
}

test('it is over when every Sentinel names the new primary and every replica is linked', async () => {
  await wait([naming('redis-1', 4), naming('redis-2', 5)]);
});

test('a new primary that is replaced meanwhile: it ends then, and says who is primary', async () => {
  const sinceMs = performance.now();
  await expect(
    wait([naming('redis-1', 4), naming('redis-2', 5, { failoverInProgress: true }), naming('redis-3', 6)]),
  ).rejects.toMatchObject({
    code: 'SWITCHOVER_FAILED',
    message: 'redis-2 was made primary, and was replaced since: redis-3 is primary now',
  });
  expect(performance.now() - sinceMs).toBeLessThan(10_000);
});

test('one that is replaced after all agreed, and before it took a write: it ends then as well', async () => {
  const views = [naming('redis-2', 5), naming('redis-2', 5), naming('redis-3', 6)];
  await expect(wait(views, { takesWrites: new Promise(() => {}) })).rejects.toMatchObject({
    message: 'redis-2 was made primary, and was replaced since: redis-3 is primary now',
  });
});

/** redis-3 has no link to the new primary. */
const withoutLink = (): View => {
  const view = naming('redis-2', 5);
  const members = view.members.map((each) => (each.id === 'redis-3' ? { ...each, linkUp: false } : each));
  return { ...view, members };
};

test('one that had no link before is waited for a moment, and then it is over without it', async () => {
  const sinceMs = performance.now();
  expect(await wait([withoutLink()], { unlinked: new Set(['redis-3']) })).toEqual(['redis-3']);
  expect(performance.now() - sinceMs).toBeLessThan(10_000);
  expect(await wait([withoutLink(), naming('redis-2', 5)], { unlinked: new Set(['redis-3']) })).toEqual([]);
});

test('one that may not be told to follow: it ends then, and says what that one said', async () => {
  const sinceMs = performance.now();
  const refusals = new Map([['redis-3', 'NOPERM this user has no permissions']]);
  await expect(wait([withoutLink()], { refusals })).rejects.toMatchObject({
    code: 'SWITCHOVER_FAILED',
    message:
      'redis-2 was made primary, and redis-3 does not let the agent have it follow (NOPERM this user has no permissions)',
    hint: expect.stringContaining('holdfast apply'),
  });
  expect(performance.now() - sinceMs).toBeLessThan(10_000);
});

test('that the Sentinels name the old primary is news under a later epoch only', () => {
  expect(successorOf(naming('redis-1', 4), change)).toBeUndefined();
  expect(successorOf(naming('redis-1', 5), change)).toBeUndefined();
  expect(successorOf(naming('redis-1', 6), change)).toBe('redis-1');
  expect(successorOf(naming('redis-1', 6, { failoverInProgress: true }), change)).toBeUndefined();
  expect(successorOf(naming('redis-2', 6), change)).toBeUndefined();
  expect(successorOf(naming('redis-3', 6), change)).toBe('redis-3');
});
