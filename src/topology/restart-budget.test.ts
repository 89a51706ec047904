import fc from 'fast-check';
import { expect, test } from 'vitest';
import { restartVerdict } from './restart-budget.ts';

const rule = { limit: 5, withinMs: 60_000 };
const diedMs = 100_000;

test('the first restart is at once', () => {
  expect(restartVerdict([], diedMs, diedMs, rule)).toEqual({ kind: 'now' });
});

test('the pause doubles with each restart, up to 10 s', () => {
  const pauseAfter = (restarts: number) => {
    const before = Array.from({ length: restarts }, (_, i) => diedMs - restarts + i);
    const verdict = restartVerdict(before, diedMs, diedMs, { limit: 100, withinMs: 60_000 });
    return verdict.kind === 'wait' ? verdict.untilMs - diedMs : verdict;
  };
  expect([1, 2, 3, 4, 5, 6, 7, 50].map(pauseAfter)).toEqual([
    200, 400, 800, 1600, 3200, 6400, 10_000, 10_000,
  ]);
});

test('one that had run for a while since its last restart is started at once, within the same limit', () => {
  const starts = [diedMs - 30_000, diedMs - 20_000];
  expect(restartVerdict([...starts, diedMs - 10_000], diedMs, diedMs, rule)).toEqual({ kind: 'now' });
  expect(restartVerdict([...starts, diedMs - 9999], diedMs, diedMs, rule).kind).toBe('wait');
});

test('it is over exactly when it says', () => {
  const verdict = restartVerdict([diedMs - 1000], diedMs, diedMs + 199, rule);
  expect(verdict).toEqual({ kind: 'wait', untilMs: diedMs + 200 });
  expect(restartVerdict([diedMs - 1000], diedMs, diedMs + 200, rule)).toEqual({ kind: 'now' });
});

test('more than `limit` restarts within the window are too many; older ones are forgotten', () => {
  const restarts = [0, 10_000, 20_000, 30_000, 40_000];
  expect(restartVerdict(restarts, 59_000, 59_000, rule)).toEqual({ kind: 'exhausted' });
  expect(restartVerdict(restarts, 59_999, 59_999, rule)).toEqual({ kind: 'exhausted' });
  expect(restartVerdict(restarts, 59_999, 60_000, rule).kind).toBe('now');
  expect(restartVerdict(restarts.slice(1), 59_000, 69_000, rule)).toEqual({ kind: 'now' });
});

/** Runs a process that dies `livesMs` after each start, until it is given up or `untilMs`. */
function simulate(
  livesMs: number,
  untilMs: number,
  { limit, withinMs }: typeof rule,
): { starts: number[]; failed: boolean } {
  const starts: number[] = [];
  let died = 0;
  while (died < untilMs) {
    const verdict = restartVerdict(starts, died, died, { limit, withinMs });
    if (verdict.kind === 'exhausted') return { starts, failed: true };
    const at = verdict.kind === 'wait' ? verdict.untilMs : died;
    starts.push(at);
    died = at + livesMs;
  }
  return { starts, failed: false };
}

test('whatever it does, no window of time ever sees more than `limit` restarts', () => {
  const life = fc.integer({ min: 0, max: 20_000 });
  const anyRule = fc.record({
    limit: fc.integer({ min: 1, max: 8 }),
    withinMs: fc.integer({ min: 100, max: 60_000 }),
  });
  fc.assert(
    fc.property(life, anyRule, (livesMs, each) => {
      const { starts } = simulate(livesMs, 300_000, each);
      for (const [i, start] of starts.entries()) {
        const inWindow = starts.slice(0, i + 1).filter((at) => at > start - each.withinMs);
        expect(inWindow.length).toBeLessThanOrEqual(each.limit);
      }
    }),
    { numRuns: 50 },
  );
});

test('one that dies at once is given up soon; one that lives long is restarted for ever', () => {
  const hopeless = simulate(0, 3_600_000, rule);
  expect(hopeless).toMatchObject({ failed: true, starts: { length: 5 } });
  expect(hopeless.starts.at(-1)).toBeLessThan(10_000);
  expect(simulate(61_000, 3_600_000, rule)).toMatchObject({ failed: false });
});
