import { expect, test } from 'vitest';
import { aDeadMember, aReplica, aView, deadProcess } from '../../../test/support/views.ts';
import type { RefusalCode } from '../../topology/view.ts';
import { heirsByChoice } from './take-what-others-have.ts';

test('only those whom a refused primary would set back may take over by choice', () => {
  const refused = (code: RefusalCode) => {
    const refusal = { code, about: ['redis-3'], reason: '' };
    const primary = aDeadMember('redis-1', 0, { process: deadProcess(0, { refusal }) });
    return aView({ members: [primary, aReplica('redis-2'), aReplica('redis-3')] });
  };
  expect(heirsByChoice(refused('would-set-back'))).toEqual(['redis-3']);
  expect(heirsByChoice(refused('cannot-load'))).toEqual([]);
  expect(heirsByChoice(aView())).toEqual([]);
});
