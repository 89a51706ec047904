import { describe, expect, test } from 'vitest';
import { a, b, c, later, members, opened } from '../../../test/support/gate-moments.ts';
import type { MemberAddress } from '../config.ts';
import type { PrimaryEvent } from './primary-event.ts';
import { holdingOf, type PrimaryState } from './primary-state.ts';

describe('a selection of which nothing comes', () => {
  const named = [0, 1, 2].map((sentinel): [PrimaryEvent, number] => [
    { kind: 'claim', sentinel, claim: { member: a, epoch: 1 } },
    0,
  ]);
  const selected = later(
    opened(),
    [{ kind: 'selected', member: b, old: a, event: '+selected-slave' }, 1],
    ...named,
  );
  const says = (
    who: MemberAddress,
    as: 'master' | 'slave' | 'absent' | 'unreachable',
    afterMs = 1,
  ): [PrimaryEvent, number] => [{ kind: 'role', member: who, role: as }, afterMs];
  const asked = (state: PrimaryState) =>
    state.asked.map((id) => members.findIndex((each) => each.id === id) + 1);

  test('nobody listens where the selected one was: the writes go on where they were, and it is asked on', () => {
    expect(holdingOf(selected)).toBe('writes');
    const gone = later(selected, says(b, 'absent'), [{ kind: 'tick' }, 5]);
    expect(asked(gone)).toEqual([2, 1]);
    const on = later(gone, says(a, 'master'));
    expect([holdingOf(on), on.primary, on.candidate?.member]).toEqual(['none', a, b]);
    const again = later(on, says(b, 'absent'), [{ kind: 'tick' }, 60]);
    expect(asked(again)).toEqual([2]);
    // The Sentinel promotes it when it is back.
    expect(later(again, says(b, 'master')).primary).toBe(b);
    expect(later(on, [{ kind: 'aborted', event: '-failover-abort' }, 10]).candidate).toBeNull();
  });

  test('one answer of it that is missing is none: it may be promoted all the same', () => {
    const late = later(selected, says(b, 'unreachable'), [{ kind: 'tick' }, 5], says(a, 'master'));
    expect([holdingOf(late), late.primary]).toEqual(['writes', a]);
    const silent = later(selected, says(b, 'unreachable', 1200), [{ kind: 'tick' }, 5], says(a, 'master'));
    expect([holdingOf(silent), silent.primary]).toEqual(['none', a]);
  });

  test('it acts as a replica a second later: the writes go on where they were', () => {
    const soon = later(selected, says(b, 'slave'), says(a, 'master'));
    expect(holdingOf(soon)).toBe('writes');
    const late = later(
      soon,
      [{ kind: 'tick' }, 1200],
      says(b, 'slave'),
      [{ kind: 'tick' }, 5],
      says(a, 'master'),
    );
    expect([holdingOf(late), late.primary]).toEqual(['none', a]);
    // Another selection is another one.
    const next = later(late, [{ kind: 'selected', member: b, old: a, event: '+selected-slave' }, 5000]);
    expect(holdingOf(next)).toBe('writes');
  });

  test('not while the old one does not answer as primary, or the Sentinels name another', () => {
    const gone = later(selected, says(b, 'absent'), [{ kind: 'tick' }, 5]);
    expect(holdingOf(later(gone, says(a, 'slave')))).toBe('writes');
    const other = later(
      gone,
      [{ kind: 'claim', sentinel: 0, claim: { member: c, epoch: 2 } }, 1],
      says(a, 'master'),
    );
    expect(holdingOf(other)).toBe('writes');
  });

  test('the primary is lost meanwhile, and asked: it is believed what it says', () => {
    const on = later(selected, says(b, 'absent'), [{ kind: 'tick' }, 5], says(a, 'master'));
    const doubted = later(on, [{ kind: 'lost', member: a, reason: 'reset' }, 1]);
    expect(asked(doubted)).toContain(1);
    const lost = later(doubted, says(a, 'unreachable'));
    expect(holdingOf(lost)).toBe('all');
    const back = later(lost, says(b, 'absent'), [{ kind: 'tick' }, 60], says(a, 'master'));
    expect(holdingOf(back)).toBe('none');
  });
});
