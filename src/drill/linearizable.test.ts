import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Outcome } from './ledger.ts';
import { checkRegister, type RegisterRead, type RegisterWrite } from './linearizable.ts';

const write = (
  value: string,
  startMs: number,
  endMs: number,
  outcome: Outcome = 'acknowledged',
): RegisterWrite => ({
  value,
  startMs,
  endMs,
  outcome,
});
const read = (value: string | null, startMs: number, endMs: number): RegisterRead => ({
  value,
  startMs,
  endMs,
});
const kinds = (writes: RegisterWrite[], reads: RegisterRead[]) =>
  checkRegister('k', writes, reads).map(({ kind, value }) => `${kind} ${value}`);

describe('histories that could have been', () => {
  test('reads see what was written last', () => {
    expect(kinds([write('a', 0, 1), write('b', 4, 5)], [read('a', 2, 3), read('b', 6, 7)])).toEqual([]);
  });

  test('nothing before the first write', () => {
    expect(kinds([write('a', 2, 5)], [read(null, 0, 1), read(null, 3, 4), read('a', 3, 4)])).toEqual([]);
  });

  test('concurrent writes take effect in either order', () => {
    expect(kinds([write('a', 0, 10), write('b', 1, 9)], [read('b', 11, 12)])).toEqual([]);
    expect(kinds([write('a', 0, 10), write('b', 1, 9)], [read('a', 11, 12)])).toEqual([]);
  });

  test('a write without an answer takes effect late, or never', () => {
    const writes = [write('a', 0, 1), write('b', 2, 3, 'unknown')];
    expect(kinds(writes, [read('a', 50, 51), read('b', 100, 101)])).toEqual([]);
    expect(kinds(writes, [read('a', 50, 51)])).toEqual([]);
  });
});

describe('histories that could not', () => {
  test('an acknowledged write is gone, though nobody had read it', () => {
    expect(kinds([write('a', 0, 1), write('b', 2, 3)], [read('a', 4, 5)])).toEqual(['lost b']);
  });

  test('an acknowledged write was seen, and is gone', () => {
    expect(kinds([write('a', 0, 1), write('b', 2, 3)], [read('b', 4, 5), read('a', 6, 7)])).toEqual([
      'lost b',
    ]);
  });

  test('everything is gone', () => {
    expect(kinds([write('a', 0, 1)], [read(null, 2, 3)])).toEqual(['lost a']);
  });

  test('a value is read after a newer one, which is there again later', () => {
    const reads = [read('b', 4, 5), read('a', 6, 7), read('b', 8, 9)];
    expect(kinds([write('a', 0, 1), write('b', 2, 3)], reads)).toEqual(['stale b']);
  });

  test('a write without an answer was seen, and is gone', () => {
    const writes = [write('a', 0, 1), write('b', 2, 3, 'unknown')];
    expect(kinds(writes, [read('b', 4, 5), read('a', 6, 7)])).toEqual(['undone b']);
  });

  test('a refused write is there', () => {
    expect(kinds([write('a', 0, 1, 'failed')], [read('a', 2, 3)])).toEqual(['refused a']);
  });

  test('a value that nobody wrote, or not yet', () => {
    expect(kinds([write('a', 5, 6)], [read('x', 0, 1), read('a', 2, 3)])).toEqual([
      'impossible x',
      'impossible a',
    ]);
  });
});

describe('against a search through all orders', () => {
  /** Wing and Gong's search: some operation that began before every other one ended goes first, then the rest. */
  function linearizable(writes: RegisterWrite[], reads: RegisterRead[]): boolean {
    const all = [
      ...writes
        .filter(({ outcome }) => outcome !== 'failed')
        .map((each) => ({
          ...each,
          kind: 'write' as const,
          endMs: each.outcome === 'unknown' ? Number.POSITIVE_INFINITY : each.endMs,
        })),
      ...reads.map((each) => ({ ...each, kind: 'read' as const })),
    ];
    const tried = new Set<string>();
    const search = (left: number[], value: string | null): boolean => {
      const open = left.filter((i) => (all[i] as { endMs: number }).endMs !== Number.POSITIVE_INFINITY);
      if (open.length === 0) return true;
      const state = `${left.join()}|${value}`;
      if (tried.has(state)) return false;
      tried.add(state);
      const firstEnd = Math.min(...left.map((i) => (all[i] as { endMs: number }).endMs));
      return left.some((i) => {
        const each = all[i] as (typeof all)[number];
        if (each.startMs > firstEnd) return false;
        const rest = left.filter((j) => j !== i);
        if (each.kind === 'write') return search(rest, each.value);
        return each.value === value && search(rest, value);
      });
    };
    return search(
      all.map((_, i) => i),
      null,
    );
  }

  const values = ['a', 'b', 'c', 'd'];
  const span = fc.tuple(fc.integer({ min: 0, max: 24 }), fc.integer({ min: 1, max: 8 }));
  const outcome = fc.constantFrom<Outcome>('acknowledged', 'acknowledged', 'unknown', 'failed');
  const history = fc.record({
    writes: fc.array(fc.tuple(span, outcome), { minLength: 1, maxLength: 4 }),
    reads: fc.array(fc.tuple(span, fc.constantFrom(null, ...values)), { maxLength: 5 }),
  });

  test('both say the same of every history', () => {
    let good = 0;
    let bad = 0;
    fc.assert(
      fc.property(history, (drawn) => {
        // No two moments are the same: halves for ends, and a little for each operation.
        let tick = 0;
        const moment = (ms: number) => ms + tick++ / 100;
        const times = ([start, length]: [number, number]) => {
          const startMs = moment(start);
          return { startMs, endMs: moment(start + length) };
        };
        const writes = drawn.writes.map(([span, outcome], i) => ({
          value: values[i] as string,
          outcome,
          ...times(span),
        }));
        const reads = drawn.reads.map(([span, value]) => ({ value, ...times(span) }));
        const expected = linearizable(writes, reads);
        if (expected) good += 1;
        else bad += 1;
        expect(checkRegister('k', writes, reads).length === 0).toBe(expected);
      }),
      { numRuns: 5000 },
    );
    // The draw must have made both kinds, or it proves nothing.
    expect(Math.min(good, bad)).toBeGreaterThan(200);
  });
});
