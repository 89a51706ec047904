/** Where standalone members say themselves who leads: what a gate makes of their words. */
import { expect, test } from 'vitest';
import { type OwnKeys, toFollow, toLead, wordOf } from '../../stream/lead-position.ts';
import type { MemberAddress } from '../config.ts';
import type { Role } from '../upstream/probe.ts';
import type { PrimaryEvent } from './primary-event.ts';
import { initialState, type PrimaryState, reasonOf } from './primary-state.ts';
import { step } from './primary-step.ts';
import { rulesFor, witnessesAt } from './witness.ts';

const members: MemberAddress[] = [1, 2].map((n) => ({
  id: `redis-${n}`,
  address: `10.0.0.${n}`,
  port: 6379,
}));
const [one, two] = members as [MemberAddress, MemberAddress];
const places = { members, sentinels: [], standalone: true };
const rules = rulesFor(places);

class Gate {
  state: PrimaryState = initialState(rules, 0);
  asked: string[] = [];
  nowMs = 0;

  take(event: PrimaryEvent): this {
    const { state, effects } = step(this.state, event, rules, this.nowMs);
    this.state = state;
    for (const effect of effects) if (effect.kind === 'ask') this.asked.push(effect.member.id);
    return this;
  }

  /** This member says that that one leads. */
  says(who: MemberAddress, member: MemberAddress, epoch: number): this {
    return this.take({ kind: 'claim', sentinel: members.indexOf(who), claim: { member, epoch } });
  }

  silent(who: MemberAddress): this {
    return this.take({ kind: 'claim', sentinel: members.indexOf(who), claim: null });
  }

  role(member: MemberAddress, role: Role): this {
    return this.take({ kind: 'role', member, role });
  }
}

test('without Sentinels the members are asked, and one that says it is enough', () => {
  expect(witnessesAt(places)).toEqual(members);
  expect(rules).toEqual({ sentinels: 2, majority: 1, byMembers: true });
  const sentinels = [{ address: '10.0.0.9', port: 26_379 }];
  expect(witnessesAt({ ...places, sentinels })).toEqual(sentinels);
  expect(rulesFor({ ...places, sentinels })).toEqual({ sentinels: 1, majority: 1 });
  expect(witnessesAt({ ...places, standalone: false })).toEqual([]);
});

test('what a member says is in its data: whom it follows, or that it leads, and in which epoch', () => {
  expect(wordOf([null, null])).toBeNull();
  expect(wordOf([null, toLead('run', 4)])).toEqual({ whom: null, epoch: 4 });
  const follower: OwnKeys = [toFollow(one, 5), toLead('run', 4)];
  expect(wordOf(follower)).toMatchObject({ whom: { address: one.address, port: one.port }, epoch: 5 });
  expect(wordOf(['', null])).toBeNull();
});

test('a gate that starts waits for the words of all, for a second: the first may be of one that led before', () => {
  const gate = new Gate().says(one, one, 5);
  expect(gate.asked).toEqual([]);
  gate.says(two, two, 6).role(two, 'master');
  expect(gate.state.primary?.id).toBe('redis-2');
  const alone = new Gate().says(one, one, 5);
  alone.nowMs = 1000;
  alone.take({ kind: 'tick' }).role(one, 'master');
  expect(alone.state.primary?.id).toBe('redis-1');
});

test('a later word moves it, once that one says itself that it leads; an earlier one never does', () => {
  const gate = new Gate().says(one, one, 5).says(two, one, 5).role(one, 'master');
  expect(gate.state.primary?.id).toBe('redis-1');
  gate.says(two, two, 6).role(two, 'slave');
  expect(gate.state.primary?.id).toBe('redis-1');
  gate.role(two, 'master');
  expect(gate.state.primary?.id).toBe('redis-2');
  gate.take({ kind: 'lost', member: two, reason: 'gone' }).role(two, 'absent').silent(two);
  expect(gate.state.mode.kind).toBe('all');
  // The former lead is back, and was told nothing yet.
  for (gate.nowMs = 1000; gate.nowMs < 60_000; gate.nowMs += 500)
    gate.says(one, one, 5).take({ kind: 'tick' }).role(one, 'master');
  expect(gate.state.primary?.id).toBe('redis-2');
  expect(gate.state.mode.kind).toBe('all');
});

test('two were made the lead in one epoch, on two sides of a split: the one that the first member names', () => {
  const gate = new Gate().says(one, one, 5).says(two, two, 6).role(two, 'master');
  expect(gate.state.primary?.id).toBe('redis-2');
  gate.says(one, one, 6).role(one, 'master');
  expect(gate.state.primary?.id).toBe('redis-1');
  gate.says(two, two, 6).role(two, 'master').says(two, one, 6);
  expect(gate.state.primary?.id).toBe('redis-1');
});

test('nobody says anything: it keeps its primary, and tells so', () => {
  const gate = new Gate().says(one, one, 5).says(two, one, 5).role(one, 'master').silent(one).silent(two);
  expect(gate.state.mode.kind).toBe('open');
  expect(reasonOf(gate.state, rules)).toBe('no member says who leads; keeping redis-1');
});
