import { expect, test } from 'vitest';
import { aPrimary, aReplica, aView } from '../../../test/support/views.ts';
import type { ApiMember, ApiView } from '../../api/view.ts';
import { statusOf } from '../api/status-answer.ts';
import { statusOfAll } from './status-of-all.ts';

test('the status says of other hosts what their agents say, and of its own what it sees', () => {
  const members = [aPrimary('redis-1'), { ...aReplica('redis-2'), host: 'b' }];
  const own = statusOf(aView({ members }), 100_000);
  const failed = { state: 'failed', reason: 'its restarts are used up', stateForMs: 9, restarts: 5 } as const;
  const none = { refusal: null, refusalCode: null, trouble: null, troubleCode: null };
  const here = own.members[0]?.host ?? '';
  const view = {
    ...{
      host: here,
      state: 'degraded',
      problems: ['redis-2 is failed', 'no room'],
      sentinels: [],
      gates: [],
    },
    members: own.members.map(({ id, host }) => ({ id, host, ...failed, ...none })) as unknown as ApiMember[],
  } as unknown as ApiView;
  const all = statusOfAll(own, view, ['no room']);
  expect(all).toMatchObject({ state: 'degraded', problems: view.problems, beside: ['no room'] });
  expect(all.members[0]).toEqual(own.members[0]);
  expect(all.members[1]).toMatchObject(failed);
  expect(all.members[1]).not.toHaveProperty('refusal');
  const refused = { refusal: 'its data is gone', refusalCode: 'would-wipe' };
  const full = { ...refused, trouble: 'its disk is full', troubleCode: 'disk-full' };
  const troubled = view.members.map((member) => ({ ...member, ...full })) as ApiMember[];
  expect(statusOfAll(own, { ...view, members: troubled }, []).members[1]).toMatchObject(full);
  expect(all.gates).toEqual(own.gates);
});
