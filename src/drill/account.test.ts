import { describe, expect, test } from 'vitest';
import { account } from './account.ts';
import type { Holdings, Outcome, Write, WriteKind } from './ledger.ts';

let clock = 0;
function writesOf(kind: WriteKind, outcomes: readonly (Outcome | number)[]): Write[] {
  return outcomes.map((each, step) => {
    const outcome = typeof each === 'number' ? 'acknowledged' : each;
    const answer = typeof each === 'number' ? { answer: each } : {};
    const error =
      outcome === 'acknowledged' ? {} : { error: outcome === 'unknown' ? 'UNCERTAIN' : 'NOPRIMARY' };
    const sentMs = clock++;
    const value = kind === 'hash' ? `f${step}=v${step}` : `v${step}`;
    return {
      client: 0,
      listener: 'd',
      kind,
      key: 'k',
      value,
      step,
      sentMs,
      endMs: clock++,
      outcome,
      ...answer,
      ...error,
    };
  });
}
const holds = (some: Partial<Holdings>): Holdings => ({
  strings: new Map(),
  counters: new Map(),
  lists: new Map(),
  hashes: new Map(),
  ...some,
});
const values = (list: readonly { value: string }[]) => list.map(({ value }) => value);

describe('a list', () => {
  const writes = writesOf('list', ['acknowledged', 'unknown', 'failed', 'acknowledged']);

  test('holds what was acknowledged: nothing is lost', () => {
    const found = account(writes, holds({ lists: new Map([['k', ['v0', 'v3']]]) }));
    expect(found).toMatchObject({ attempted: 4, acknowledged: 2, failed: 1, unknown: 1, lost: [] });
    expect(found.presentUnacknowledged).toBe(0);
  });

  test('what is missing, what is there though nobody knew, what was refused and is there, and what is there twice', () => {
    const found = account(writes, holds({ lists: new Map([['k', ['v1', 'v2', 'v3', 'v3']]]) }));
    expect(values(found.lost)).toEqual(['v0']);
    expect(found.presentUnacknowledged).toBe(1);
    expect(values(found.presentRefused)).toEqual(['v2']);
    expect(found.duplicated).toEqual(['v3']);
  });

  test('that is gone has lost everything', () => {
    expect(values(account(writes, holds({})).lost)).toEqual(['v0', 'v3']);
  });
});

test('a hash: a field with another value is lost', () => {
  const fields = new Map([
    ['f0', 'v0'],
    ['f1', 'other'],
  ]);
  const found = account(
    writesOf('hash', ['acknowledged', 'acknowledged']),
    holds({ hashes: new Map([['k', fields]]) }),
  );
  expect(values(found.lost)).toEqual(['f1=v1']);
});

describe('a counter', () => {
  const counter = (outcomes: (Outcome | number)[], found: number) =>
    account(writesOf('counter', outcomes), holds({ counters: new Map([['k', found]]) }));

  test('counts up', () => {
    expect(counter([1, 2, 3], 3)).toMatchObject({ lost: [], presentUnacknowledged: 0, duplicated: [] });
  });

  test('an increment without an answer may be there', () => {
    expect(counter([1, 'unknown', 3], 3)).toMatchObject({ lost: [], presentUnacknowledged: 1 });
    expect(counter([1, 'unknown', 2], 2)).toMatchObject({ lost: [], presentUnacknowledged: 0 });
    expect(counter([1, 'unknown'], 2)).toMatchObject({ lost: [], presentUnacknowledged: 1 });
  });

  test('increments that were undone show in the next answer, also when later ones reach the same number', () => {
    const found = counter([1, 2, 3, 2, 3, 4], 4);
    expect(values(found.lost)).toEqual(['v1', 'v2']);
  });

  test('increments that were undone show at the end', () => {
    expect(values(counter([1, 2, 3], 1).lost)).toEqual(['v1', 'v2']);
    expect(values(counter([1, 2], 0).lost)).toEqual(['v0', 'v1']);
  });

  test('more than possible means that one was applied twice', () => {
    expect(counter([1, 3], 3).duplicated).toHaveLength(1);
  });
});

describe('a string', () => {
  const string = (outcomes: Outcome[], found: string | null) =>
    account(writesOf('string', outcomes), holds({ strings: new Map([['k', found]]) }));

  test('holds the last acknowledged value, or one whose fate was unknown', () => {
    expect(string(['acknowledged', 'acknowledged'], 'v1').lost).toEqual([]);
    expect(string(['acknowledged', 'unknown'], 'v1')).toMatchObject({ lost: [], presentUnacknowledged: 1 });
    expect(string(['acknowledged', 'unknown'], 'v0').lost).toEqual([]);
  });

  test('an older value, none, or one that was refused', () => {
    expect(values(string(['acknowledged', 'acknowledged', 'acknowledged'], 'v0').lost)).toEqual(['v1', 'v2']);
    expect(values(string(['acknowledged'], null).lost)).toEqual(['v0']);
    expect(values(string(['acknowledged', 'failed'], 'v1').presentRefused)).toEqual(['v1']);
  });
});
