/**
 * A Sentinel that is ahead of this gate replaces whoever is only about to be primary here: an agent's switchover went to a
 * member that then hung, and a Sentinel selected another one. Writes wait for that one, whatever else is heard.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { a, b, c, later, members, moments, opened } from '../../../test/support/gate-moments.ts';
import type { MemberAddress } from '../config.ts';
import type { PrimaryEvent } from './primary-event.ts';
import { holdingOf, type PrimaryState } from './primary-state.ts';

const says = (
  member: MemberAddress,
  role: 'master' | 'slave' | 'absent' | 'unreachable',
  afterMs = 1,
): [PrimaryEvent, number] => [{ kind: 'role', member, role }, afterMs];
const claims = (member: MemberAddress, epoch: number) =>
  [0, 1, 2].map((sentinel): [PrimaryEvent, number] => [
    { kind: 'claim', sentinel, claim: { member, epoch } },
    0,
  ]);
const selected: PrimaryEvent = { kind: 'selected', member: c, old: b, event: '+selected-slave' };
const hold = { kind: 'agent-hold', reason: 'switchover', maxMs: 3000, patient: false } as const;

/** The agent made b primary, and b has not said so itself: it hangs. */
const named = later(
  opened(),
  [hold, 1],
  [{ kind: 'agent-switch', member: b, epoch: 5, withinMs: 5000 }, 10],
  ...claims(b, 5),
);
const hung = later(named, says(b, 'unreachable', 1000), [{ kind: 'tick' }, 2100]);

test('the end of its hold gives nothing to the old primary, as long as the new one may yet say that it is', () => {
  expect([holdingOf(hung), hung.primary]).toEqual(['writes', a]);
  expect(later(hung, says(b, 'master')).primary).toBe(b);
  // When it never does, the old one is asked; it goes on if it is primary still.
  const over = later(hung, ...claims(a, 1), [{ kind: 'tick' }, 5100], says(a, 'master', 5));
  expect([holdingOf(over), over.primary]).toEqual(['none', a]);
});

test('the release of the agent takes back its own word, and no selection', () => {
  expect(holdingOf(later(named, [{ kind: 'agent-release' }, 1]))).toBe('none');
  const held = later(opened(), [{ ...selected, old: a }, 1], [{ ...hold, maxMs: 500 }, 1]);
  for (const end of ['agent-release', 'tick'] as const) {
    const ended = later(held, [{ kind: end }, 600], says(c, 'slave'), says(a, 'master'));
    expect(holdingOf(ended)).toBe('writes');
    expect(later(ended, says(c, 'master')).primary).toBe(c);
  }
});

describe('one is selected in its place', () => {
  test('it answers again before that one is promoted: the writes wait, and go to the selected one', () => {
    const both = later(hung, [selected, 100], says(b, 'master', 640), ...claims(b, 5));
    expect([holdingOf(both), both.primary]).toEqual(['writes', a]);
    const promoted = later(both, says(c, 'master', 100));
    expect([holdingOf(promoted), promoted.primary]).toEqual(['none', c]);
    // That the others name the hung one still is no news.
    expect(later(promoted, ...claims(b, 5), says(b, 'master')).primary).toBe(c);
  });

  test('nothing comes of that: it has its place again, and the selected one is asked on', () => {
    for (const end of [says(c, 'absent'), says(c, 'slave', 1100)]) {
      const back = later(hung, [selected, 100], end, [{ kind: 'tick' }, 5], says(b, 'master', 5));
      expect([holdingOf(back), back.primary, back.candidate?.member]).toEqual(['none', b, c]);
      expect(later(back, says(c, 'master', 60)).primary).toBe(c);
    }
    const aborted = later(hung, [selected, 100], [{ kind: 'aborted', event: '-failover-abort' }, 10]);
    expect(later(aborted, says(b, 'master')).primary).toBe(b);
  });
});

test('whatever is heard within a second of a selection, no write goes to whom it replaces', () => {
  const anyone = fc.constantFrom(...members);
  const older = fc.record({ member: fc.constantFrom(a, b), epoch: fc.integer({ min: 0, max: 5 }) });
  const event = fc.oneof(
    fc.constant<PrimaryEvent>({ kind: 'tick' }),
    fc.record({ kind: fc.constant('claim'), sentinel: fc.nat(2), claim: fc.option(older) }),
    fc.record({
      kind: fc.constant('role'),
      member: anyone,
      role: fc.constantFrom('master', 'slave', 'unreachable'),
    }),
    fc.record({ kind: fc.constant('lost'), member: anyone, reason: fc.constant('gone') }),
    fc.record({ kind: fc.constant('readonly'), member: anyone }),
    fc.constantFrom<PrimaryEvent>(hold, { kind: 'agent-release' }, { kind: 'not-ready' }),
  ) as fc.Arbitrary<PrimaryEvent>;
  const history = fc.array(fc.tuple(event, fc.nat(40)), { maxLength: 24, size: 'max' });
  const announced = later(
    opened(),
    [{ kind: 'switched', member: b, old: a, event: '+switch-master' }, 1],
    ...claims(b, 5),
  );
  const serving = later(named, says(b, 'master'));
  const from = fc.constantFrom<PrimaryState>(named, hung, announced, serving);
  fc.assert(
    fc.property(from, history, (state, events) => {
      for (const { after } of moments([[selected, 0], ...events], state))
        expect(holdingOf(after) !== 'none' || after.primary === c).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
