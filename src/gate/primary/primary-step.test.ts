/**
 * What must hold of whom the gate takes for primary, whatever happens in whatever order. The conditions are written here
 * anew, from the rules and not from the code.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  a,
  b,
  c,
  later,
  type Moment,
  members,
  moments,
  opened,
  rules,
} from '../../../test/support/gate-moments.ts';
import type { MemberAddress } from '../config.ts';
import type { PrimaryEvent } from './primary-event.ts';
import { holdingOf, type PrimaryState, reasonOf, wakeAtMs } from './primary-state.ts';
import { step } from './primary-step.ts';

const member = fc.constantFrom(...members);
const claim = fc.option(
  fc.record({ member: fc.option(member, { freq: 9 }), epoch: fc.integer({ min: 0, max: 6 }) }),
  { freq: 6 },
);
const role = fc.constantFrom('master', 'master', 'slave', 'loading', 'unknown', 'absent', 'unreachable');
const event = fc.oneof(
  { weight: 3, arbitrary: fc.constant<PrimaryEvent>({ kind: 'tick' }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('claim'), sentinel: fc.nat(2), claim }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('role'), member, role }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('selected', 'switched'),
      member,
      old: fc.option(member),
      event: fc.constant('+event'),
    }),
  },
  { weight: 1, arbitrary: fc.constant<PrimaryEvent>({ kind: 'aborted', event: '-failover-abort' }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('lost'), member, reason: fc.constant('gone') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('readonly'), member }) },
  { weight: 2, arbitrary: fc.constant<PrimaryEvent>({ kind: 'not-ready' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('agent-hold'),
      reason: fc.constant('asked'),
      maxMs: fc.nat(5000),
      patient: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant<PrimaryEvent>({ kind: 'agent-release' }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('agent-switch'),
      member,
      epoch: fc.option(fc.integer({ min: 0, max: 6 })),
      withinMs: fc.constant(5000),
    }),
  },
) as fc.Arbitrary<PrimaryEvent>;
const history = fc.array(fc.tuple(event, fc.constantFrom(0, 1, 3, 50, 300, 1200, 5000)), {
  minLength: 1,
  maxLength: 60,
  size: 'max',
});

function always(check: (moment: Moment) => void, numRuns = 1000): void {
  const from = fc.constantFrom(undefined, opened());
  fc.assert(
    fc.property(history, from, (events, state) => {
      for (const moment of moments(events, state)) check(moment);
    }),
    { numRuns },
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const each of Object.values(Object.freeze(value))) deepFreeze(each);
  return value;
}

test('a step changes nothing that it is given, and says the same each time', () => {
  always(({ before, event: each, nowMs, after: found }) => {
    const state = deepFreeze(structuredClone(before));
    // Members are compared by identity, and a clone has others.
    expect(() => step(state, deepFreeze(each), rules, nowMs)).not.toThrow();
    expect(step(before, each, rules, nowMs).state).toEqual(found);
  }, 200);
});

test('the histories change the primary, and hold for every reason, often enough to mean something', () => {
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  for (const events of fc.sample(history, { numRuns: 1000, seed: 5 })) {
    for (const { before, after: found } of moments(events, opened())) {
      if (found.primary !== before.primary) count(`switch by ${before.candidate?.grounds}`);
      if (found.mode.kind !== before.mode.kind)
        count(found.mode.kind === 'writes' ? `writes by ${found.mode.by}` : found.mode.kind);
      if (found.mode.kind === 'open' && found.mode.settling !== null) count(found.mode.settling.phase);
    }
  }
  const wanted = [
    ...['epoch', 'selection', 'agent'].map((grounds) => `switch by ${grounds}`),
    ...[
      'writes by selection',
      'writes by demotion',
      'writes by agent',
      'all',
      'loading',
      'open',
      'waiting',
      'trying',
    ],
  ];
  expect(wanted.filter((what) => (seen.get(what) ?? 0) < 5)).toEqual([]);
});

describe('another primary', () => {
  test('is a member whose own ROLE said master, as long as it was a candidate', () => {
    const acting = new Set<MemberAddress>();
    let last: PrimaryState | null = null;
    always(({ before, after: found, event: each }) => {
      if (last !== before) acting.clear();
      last = found;
      if (before.candidate === null || before.candidate.member !== found.candidate?.member) acting.clear();
      if (each.kind === 'role' && each.role === 'master') acting.add(each.member);
      if (found.primary === before.primary) return;
      expect(members).toContain(found.primary);
      expect(before.candidate?.acts || (each.kind === 'role' && each.role === 'master')).toBe(true);
      if (each.kind === 'role') expect(each.member).toBe(found.primary);
    });
  });

  test('is taken under a higher epoch only, but for a failover from ours, the agent, and an outage', () => {
    always(({ before, after: found, event: each }) => {
      const { primary, candidate } = before;
      if (primary === null || found.primary === primary) return;
      const now = each.kind === 'claim' && each.claim?.member === found.primary ? each.claim.epoch : -1;
      const epoch = Math.max(candidate?.epoch ?? -1, now);
      if (candidate?.grounds === 'epoch' || candidate?.grounds === 'announcement') {
        expect(epoch).toBeGreaterThan(before.epoch);
      } else if (candidate?.grounds === 'unanimity') {
        // One that was named in an outage may confirm it when the old primary is back and still loads.
        expect(['all', 'writes', 'loading']).toContain(before.mode.kind);
      } else if (candidate?.grounds === 'agent' && candidate.epoch !== null) {
        expect(candidate.epoch).toBeGreaterThanOrEqual(0);
      }
    });
  });

  test('is never the one before, on the word of Sentinels that have not heard of the change yet', () => {
    // The agent switched from a to b; until 10 s later the Sentinels say what they said before.
    const stale = event.filter(
      (each) =>
        (each.kind !== 'claim' ||
          each.claim === null ||
          (each.claim.member === a && each.claim.epoch <= 1)) &&
        each.kind !== 'selected' &&
        each.kind !== 'agent-switch' &&
        // A server that says for a second that it is a replica has been demoted.
        each.kind !== 'readonly',
    );
    const events = fc.array(fc.tuple(stale, fc.nat(100)), { maxLength: 80 });
    const switched = later(
      opened(),
      [{ kind: 'agent-switch', member: b, epoch: 2, withinMs: 5000 }, 5],
      [{ kind: 'role', member: b, role: 'master' }, 1],
    );
    expect(switched.primary).toBe(b);
    fc.assert(
      fc.property(events, (each) => {
        for (const { after: found } of moments(each, switched)) {
          expect(found.primary).toBe(b);
          expect(found.switches).toBe(1);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('is not taken back by what the Sentinels say of the change before: its epoch is asked for when it is announced', () => {
    const select = (member: MemberAddress, old: MemberAddress): [PrimaryEvent, number][] => [
      [{ kind: 'selected', member, old, event: '+selected-slave' }, 0],
      [{ kind: 'role', member, role: 'master' }, 3],
    ];
    const claims = (member: MemberAddress, epoch: number) =>
      [0, 1, 2].map((sentinel): [PrimaryEvent, number] => [
        { kind: 'claim', sentinel, claim: { member, epoch } },
        1,
      ]);
    const changed = later(opened(), ...select(b, a), ...claims(a, 1));
    const announced: PrimaryEvent = { kind: 'switched', member: b, old: a, event: '+switch-master' };
    const { effects } = step(changed, announced, rules, 2000);
    expect(effects).toContainEqual({ kind: 'poll' });
    const known = later(changed, [announced, 900], ...claims(b, 2));
    const again = later(known, ...select(c, b), ...claims(b, 2), [
      { kind: 'role', member: b, role: 'master' },
      1,
    ]);
    expect(again).toMatchObject({ primary: c, mode: { kind: 'open' } });
  });

  test('that one Sentinel announced waits for a claim under a higher epoch', () => {
    const announced = later(
      opened(),
      [{ kind: 'switched', member: b, old: a, event: '+switch-master' }, 1],
      [{ kind: 'role', member: b, role: 'master' }, 1],
    );
    expect(announced.primary).toBe(a);
    expect(holdingOf(announced)).toBe('writes');
    const claimed = (epoch: number) =>
      later(announced, [{ kind: 'claim', sentinel: 0, claim: { member: b, epoch } }, 1]).primary;
    expect(claimed(1)).toBe(a);
    expect(claimed(2)).toBe(b);
  });

  test('an agent that was elected under an older epoch is not obeyed', () => {
    const state = later(
      opened(),
      [{ kind: 'claim', sentinel: 0, claim: { member: a, epoch: 5 } }, 1],
      [{ kind: 'agent-switch', member: b, epoch: 5, withinMs: 5000 }, 1],
      [{ kind: 'role', member: b, role: 'master' }, 1],
    );
    expect(state.primary).toBe(a);
  });

  test('is the one that every Sentinel names when ours has been gone for 10 s, whatever the epoch', () => {
    const gone: [PrimaryEvent, number][] = [
      [{ kind: 'lost', member: a, reason: 'reset' }, 1],
      [{ kind: 'role', member: a, role: 'unreachable' }, 1],
    ];
    const claims = (epoch: number): [PrimaryEvent, number][] =>
      [0, 1, 2].map((sentinel) => [{ kind: 'claim', sentinel, claim: { member: c, epoch } }, 0]);
    const tell = later(opened(), ...gone, ...claims(0));
    const soon = later(tell, [{ kind: 'tick' }, 9000], [{ kind: 'role', member: c, role: 'master' }, 1]);
    expect(soon.primary).toBe(a);
    const late = later(tell, [{ kind: 'tick' }, 11_000], [{ kind: 'role', member: c, role: 'master' }, 1]);
    expect(late.primary).toBe(c);
  });
});

describe('what is held', () => {
  test('has a reason, and changes are told', () => {
    always(({ before, after: found, effects }) => {
      if (holdingOf(found) !== 'none' && found.mode.kind !== 'open')
        expect(reasonOf(found, rules)).toBeTruthy();
      const told = effects.some(({ kind }) => kind === 'changed');
      expect(told).toBe(found.primary !== before.primary || found.mode.kind !== before.mode.kind);
      if (found.mode.kind === 'starting') expect(found.primary).toBeNull();
      if (found.mode.kind === 'open') expect(found.primary).not.toBeNull();
    });
  });

  test('by the agent ends by its limit at the latest', () => {
    always(({ after: { mode }, nowMs, event: each }) => {
      if (mode.kind !== 'writes' || mode.by !== 'agent' || each.kind !== 'tick') return;
      expect(mode.untilMs).toBeGreaterThan(nowMs);
    });
  });

  test('a gate that holds, or has a candidate, always has something to do soon', () => {
    always(({ after: found, nowMs }) => {
      const agent = found.mode.kind === 'writes' && found.mode.by === 'agent';
      if (found.mode.kind === 'open' && found.candidate === null) return;
      const isAsked = found.asked.length > 0;
      expect(wakeAtMs(found) <= nowMs + 5000 || isAsked || agent).toBe(true);
    });
  });

  test('whatever happened before: when all agree on a member that acts as primary, the gate opens with it', () => {
    fc.assert(
      fc.property(history, member, (events, agreed) => {
        let state = [...moments(events, opened())].at(-1)?.after ?? opened();
        let nowMs = 1_000_000;
        const pending: MemberAddress[] = members.filter(({ id }) => state.asked.includes(id));
        const take = (each: PrimaryEvent) => {
          const done = step(state, each, rules, nowMs);
          state = done.state;
          for (const effect of done.effects) if (effect.kind === 'ask') pending.push(effect.member);
        };
        for (let round = 0; round < 400; round++) {
          for (const sentinel of [0, 1, 2])
            take({ kind: 'claim', sentinel, claim: { member: agreed, epoch: 7 } });
          for (const asked of pending.splice(0))
            take({ kind: 'role', member: asked, role: asked === agreed ? 'master' : 'slave' });
          nowMs = Math.max(nowMs + 1, Math.min(wakeAtMs(state), nowMs + 250));
          take({ kind: 'tick' });
        }
        expect(state.primary).toBe(agreed);
        expect(state.mode.kind).toBe('open');
      }),
      { numRuns: 100 },
    );
  });
});

describe('a primary that is new refuses writes until a replica follows it', () => {
  test('they wait, and one at a time is let through to see', () => {
    const refused = later(opened(), [{ kind: 'not-ready' }, 1]);
    expect(holdingOf(refused)).toBe('writes');
    const tried = step(refused, { kind: 'tick' }, rules, wakeAtMs(refused));
    expect(tried.effects).toEqual([{ kind: 'try-one' }]);
    expect(holdingOf(tried.state)).toBe('none');
    const passed = step(tried.state, { kind: 'tick' }, rules, wakeAtMs(tried.state));
    expect(passed.effects).toEqual([{ kind: 'go-on' }]);
    const again = later(tried.state, [{ kind: 'not-ready' }, 1]);
    expect(holdingOf(again)).toBe('writes');
  });

  test('who waits goes on also when the gate is told of the same primary once more', () => {
    for (const tries of [0, 1]) {
      let state = later(opened(), [{ kind: 'not-ready' }, 1]);
      for (let i = 0; i < tries; i++) state = step(state, { kind: 'tick' }, rules, wakeAtMs(state)).state;
      const { primary: member } = state as { primary: MemberAddress };
      const told: PrimaryEvent = { kind: 'agent-switch', member, epoch: null, withinMs: 1000 };
      state = later(state, [told, 1]);
      const found = step(state, { kind: 'role', member, role: 'master' }, rules, 20);
      expect(found.state.mode).toEqual({ kind: 'open', settling: null });
      expect(found.effects).toContainEqual({ kind: 'go-on' });
    }
  });
});
