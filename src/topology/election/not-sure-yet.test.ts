import { expect, test } from 'vitest';
import { aPrimary, aReplica, aView } from '../../../test/support/views.ts';
import type { EligibilityRules } from '../eligibility.ts';
import type { MemberView, View } from '../view.ts';
import { whoIsNotSureYet } from './not-sure-yet.ts';

const nowMs = 1_000_000;
const replicated: EligibilityRules = { gate: { durability: 'replicated' } };

/** The one that is named was made a replica, as the other two may be unsure. */
const said = (
  unsure: Partial<MemberView>,
  { goneMs = 3000, rules = replicated, view = {} as Partial<View> } = {},
) => {
  const members = [
    aReplica('redis-1', unsure),
    aReplica('redis-2', unsure),
    aReplica('redis-3', { priority: 0 }),
  ];
  return whoIsNotSureYet(aView({ members, noPrimarySinceMs: nowMs - goneMs, ...view }), rules, nowMs);
};

test('of those that can take over nobody knows whether they have all: that is what is waited for, and until when', () => {
  expect(said({ awaited: false })).toEqual({
    lost: 'redis-1',
    text: 'redis-1 does not act as primary, and of redis-1, redis-2 nobody knows whether they have all that was acknowledged: whoever surely has it is waited for until 10 s after the loss, then one of them takes over',
  });
});

test('where one takes over at once, or nobody can, or somebody is primary, nothing is said of it', () => {
  expect(said({ awaited: true })).toBeUndefined();
  expect(said({ awaited: false }, { goneMs: 10_000 })).toBeUndefined();
  expect(said({ awaited: false }, { goneMs: 500 })).toBeUndefined();
  expect(said({ awaited: false }, { rules: { gate: { durability: 'async' } } })).toBeUndefined();
  expect(said({ awaited: false, priority: 0 })).toBeUndefined();
  const members = [aPrimary('redis-1'), aReplica('redis-2', { awaited: false })];
  expect(said({}, { view: { members } })).toBeUndefined();
});
