/** What a gate knows of who is primary, one event after the other, for tests of its rules. */
import type { MemberAddress } from '../../src/gate/config.ts';
import type { Effect, PrimaryEvent } from '../../src/gate/primary/primary-event.ts';
import { initialState, type PrimaryRules, type PrimaryState } from '../../src/gate/primary/primary-state.ts';
import { step } from '../../src/gate/primary/primary-step.ts';

export const members = [1, 2, 3].map(
  (n): MemberAddress => ({ id: `redis-${n}`, address: '10.0.0.1', port: n }),
);
export const [a, b, c] = members as [MemberAddress, MemberAddress, MemberAddress];
export const rules: PrimaryRules = { sentinels: 3, majority: 2 };

export interface Moment {
  before: PrimaryState;
  after: PrimaryState;
  event: PrimaryEvent;
  effects: Effect[];
  nowMs: number;
}

/** Runs through a history, from the start or from a gate that is open with the first member under epoch 1. */
export function* moments(events: [PrimaryEvent, number][], from?: PrimaryState): Generator<Moment> {
  let nowMs = 1000;
  let state = from ?? initialState(rules, nowMs);
  for (const [each, passedMs] of events) {
    nowMs += passedMs;
    const { state: after, effects } = step(state, each, rules, nowMs);
    yield { before: state, after, event: each, effects, nowMs };
    state = after;
  }
}

/** A gate that was told by all three Sentinels of the first member, under epoch 1. */
export function opened(): PrimaryState {
  const events: [PrimaryEvent, number][] = [
    ...[0, 1, 2].map((sentinel): [PrimaryEvent, number] => [
      { kind: 'claim', sentinel, claim: { member: a, epoch: 1 } },
      0,
    ]),
    [{ kind: 'role', member: a, role: 'master' }, 0],
  ];
  return [...moments(events)].at(-1)?.after as PrimaryState;
}

/** The state after these, from an open gate. */
export function later(state: PrimaryState, ...events: [PrimaryEvent, number][]): PrimaryState {
  return [...moments(events, state)].at(-1)?.after as PrimaryState;
}
