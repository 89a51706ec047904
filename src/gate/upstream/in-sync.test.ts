import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type InSync, type InSyncEvent, initialInSync, stepInSync } from './in-sync.ts';

const keys = ['a', 'b', 'c'];
const majority = 2;
const online = fc
  .array(fc.tuple(fc.constantFrom(...keys, 'new'), fc.nat(5)), { maxLength: 4 })
  .map((entries) => new Map(entries));
const event: fc.Arbitrary<InSyncEvent> = fc.oneof(
  fc.record({ kind: fc.constant('round' as const), target: fc.nat(5), online }),
  fc.record({
    kind: fc.constant('eligibility' as const),
    asked: fc.nat(3),
    eligible: fc.subarray([...keys, 'new']).map((list) => new Set(list)),
    heard: fc.subarray([...keys, 'new']).map((list) => new Set(list)),
  }),
);
const history = fc.array(fc.tuple(event, fc.constantFrom(0, 20, 200)), { maxLength: 30, size: 'max' });

function always(
  check: (
    before: InSync,
    event: InSyncEvent,
    found: ReturnType<typeof stepInSync>,
    round: InSyncEvent | null,
  ) => void,
): void {
  fc.assert(
    fc.property(history, fc.constantFrom(null, 'b', 'c'), (events, replaced) => {
      let state = initialInSync(['a', 'b'], replaced);
      let nowMs = 0;
      let round: InSyncEvent | null = null;
      for (const [each, passedMs] of events) {
        nowMs += passedMs;
        if (each.kind === 'round') round = each;
        const found = stepInSync(state, each, majority, nowMs);
        check(state, each, found, round);
        state = found.state;
      }
    }),
    { numRuns: 2000 },
  );
}

test('what is confirmed, every member of the set has', () => {
  always((_before, _event, { confirmed, state }, round) => {
    if (!confirmed || round === null || round.kind !== 'round') return;
    for (const key of state.members) expect(round.online.get(key) ?? -1).toBeGreaterThanOrEqual(round.target);
  });
});

test('a member leaves only when a majority of Sentinels answers and none would promote it', () => {
  always((before, each, { state }) => {
    for (const key of before.members) {
      if (state.members.has(key)) continue;
      expect(each.kind).toBe('eligibility');
      if (each.kind !== 'eligibility') continue;
      expect(each.asked).toBeGreaterThanOrEqual(majority);
      expect(each.eligible.has(key)).toBe(false);
    }
  });
});

test('nothing is confirmed in the step in which the set grows, unless the new one has it', () => {
  always((before, each, { state, confirmed }) => {
    const grown = [...state.members].filter((key) => !before.members.has(key));
    if (grown.length === 0 || !confirmed) return;
    expect(each.kind).toBe('round');
  });
});

test('who is linked and moves is waited for', () => {
  always((before, each, { state }) => {
    if (each.kind !== 'round') return;
    for (const [key, offset] of each.online) {
      if (before.out.get(key) !== offset) expect(state.members.has(key)).toBe(true);
    }
  });
});

test('the primary that was replaced is waited for when it is linked, or a Sentinel has heard from it', () => {
  const round = (online: [string, number][]) => ({
    kind: 'round' as const,
    target: 5,
    online: new Map(online),
  });
  const lost = initialInSync(['a', 'b'], 'b');
  const asked = stepInSync(lost, round([['a', 5]]), majority, 1000);
  expect([asked.confirmed, asked.ask]).toEqual([false, true]);
  const eligible = new Set(['a', 'b']);
  const answer = (heard: Set<string>) =>
    stepInSync(asked.state, { kind: 'eligibility', asked: 3, eligible, heard }, majority, 1000);
  expect(answer(new Set(['a'])).confirmed).toBe(true);
  expect(answer(new Set(['a', 'b']))).toMatchObject({ confirmed: false, state: { members: eligible } });
  const linked = stepInSync(
    lost,
    round([
      ['a', 5],
      ['b', 3],
    ]),
    majority,
    1000,
  );
  expect(linked).toMatchObject({ confirmed: false, state: { members: eligible } });
});

test('one that a Sentinel would promote again is waited for before the next write is confirmed', () => {
  always((before, each, { state, confirmed }) => {
    if (each.kind !== 'eligibility' || each.asked < majority || before.behind?.size !== 0) return;
    const back = [...before.out.keys()].filter((key) => each.heard.has(key));
    for (const key of back) expect(state.members.has(key)).toBe(true);
    if (back.length > 0) expect(confirmed).toBe(false);
  });
});

test('nobody is both waited for and left out; a step changes nothing that it is given', () => {
  always((before, each, { state }) => {
    expect([...state.members].filter((key) => state.out.has(key))).toEqual([]);
    const again = stepInSync(structuredClone(before), structuredClone(each), majority, 0);
    expect(again.state.members).toEqual(state.members);
  });
});
