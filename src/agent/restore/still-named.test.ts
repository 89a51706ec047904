/** What a restore makes of a failover that somebody asked a Sentinel for meanwhile. */
import { afterEach, expect, test } from 'vitest';
import { aPrimary, aReplica, aView, threeSentinels } from '../../../test/support/views.ts';
import type { MemberView, SentinelView } from '../../topology/view.ts';
import { asPrimary } from './restore-checks.ts';
import { StillNamed } from './still-named.ts';

const restored = { primary: 'redis-1', backup: 'b1', keys: 100_073, history: 'r'.repeat(40) };
const names = (primary: string, configEpoch: number) => ({ primary, configEpoch });
let members: MemberView[];
let sentinels: SentinelView[];
let named: StillNamed;
afterEach(() => named.end());

function begin(): StillNamed {
  members = [aPrimary('redis-1'), aReplica('redis-2'), aReplica('redis-3')];
  sentinels = threeSentinels(names('redis-1', 1));
  const client = { info: async () => ({ db0: 'keys=22,expires=0' }) };
  const deployment = { view: () => aView({ members, sentinels }), member: () => ({ watch: { client } }) };
  named = new StillNamed(deployment, { lookWithin: async () => {} }, restored);
  return named;
}

function failOver(histories: string[] = ['o'.repeat(40)]): void {
  members = [aPrimary('redis-1'), aPrimary('redis-2', { histories }), aReplica('redis-3')];
  sentinels = threeSentinels(names('redis-2', 2));
}

test('as long as nobody else is named nothing ends, also when no majority says anything', async () => {
  begin();
  await named.ask();
  sentinels = threeSentinels({ reachable: false });
  await named.ask();
  sentinels = threeSentinels([names('redis-2', 2), names('redis-1', 1), names('redis-1', 1)]);
  await named.ask();
  expect(named.signal.aborted).toBe(false);
  sentinels = threeSentinels(names('redis-1', 1));
  await named.confirm();
  const error = new Error('something else');
  expect(await named.explain(error)).toBe(error);
});

test('a wait for the primary, which says that it is one all the same, ends at once; the error says who is primary with what', async () => {
  begin();
  const info = { role: 'master' };
  const client = {
    info: async () => info,
    getConfig: async () => ({}),
    connection: { call: async () => 'OK' },
  };
  const wait = asPrimary({ place: { id: 'redis-1' }, unit: null, watch: { client } }, async () => false, {
    signal: named.signal,
  });
  failOver();
  const error = await wait.catch((cause) => cause);
  expect(error).toMatchObject({
    code: 'RESTORE_FAILED',
    message: expect.stringContaining('name redis-2 primary'),
  });
  expect(await named.explain(error)).toMatchObject({
    code: 'RESTORE_FAILED',
    message:
      'b1 was not restored: the Sentinels made redis-2 primary meanwhile, which holds 22 keys, not the 100073 of the backup. redis-1 follows it',
  });
  // Though the Sentinels name it again: what it did in between nobody knows.
  sentinels = threeSentinels(names('redis-1', 3));
  await expect(named.confirm()).rejects.toMatchObject({ code: 'RESTORE_FAILED' });
});

test('another primary that has the data already is not said to lack it', async () => {
  begin();
  named.noteHistory('n'.repeat(40));
  failOver(['x'.repeat(40), 'n'.repeat(40)]);
  expect(await named.explain(new Error('any'))).toMatchObject({
    code: 'RESTORE_FAILED',
    message: expect.stringMatching(
      /did not come to its end: .*redis-2 primary meanwhile, which has the restored data/,
    ),
  });
});
