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

/** @param silent the members don't say how many keys they have */
function begin({ silent = false } = {}): StillNamed {
  members = [aPrimary('redis-1'), aReplica('redis-2'), aReplica('redis-3')];
  sentinels = threeSentinels(names('redis-1', 1));
  const info = async () => {
    if (silent) throw new Error('no answer');
    return { db0: 'keys=22,expires=0' };
  };
  const client = { info };
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
      'b1 was not restored: the Sentinels made redis-2 primary meanwhile, which holds 22 keys, not the 100073 of the backup. redis-1 is to follow it',
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

test('of another primary that does not answer it is not said that it lacks the data', async () => {
  begin({ silent: true });
  failOver([]);
  expect(await named.explain(new Error('any'))).toMatchObject({
    code: 'RESTORE_FAILED',
    message:
      'the restore of b1 did not come to its end: the Sentinels made redis-2 primary meanwhile, which does not answer; which data it has is not known. redis-1 is to follow it',
  });
});

test('nor when it can’t be asked any more who is primary', async () => {
  begin();
  failOver();
  await expect(named.ask()).rejects.toThrow('did not come to its end: the Sentinels name redis-2 primary');
  sentinels = threeSentinels({ reachable: false });
  const { reason } = named.signal;
  expect(await named.explain(reason)).toBe(reason);
});
