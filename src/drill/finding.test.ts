import { describe, expect, test } from 'vitest';
import { conclude, type Observed } from './finding.ts';
import { type Holdings, Ledger, type Read, type Write } from './ledger.ts';
import {
  alwaysPromised,
  cutOffTakesNoneAfter,
  judge,
  noSecondFailover,
  onlyUncertain,
  promotions,
} from './promises.ts';
import type { TimelineEntry } from './timeline.ts';

const holdings = (list: string[]): Holdings => ({
  strings: new Map(),
  counters: new Map(),
  lists: new Map([['l', list]]),
  hashes: new Map(),
});

function write(step: number, endMs: number, more: Partial<Write> = {}): Write {
  const value = `v${step}`;
  const base = {
    client: 0,
    listener: 'gate-1',
    kind: 'list' as const,
    key: 'l',
    value,
    step,
    sentMs: endMs - 1,
    endMs,
  };
  return { ...base, outcome: 'acknowledged', ...more };
}

function observed(writes: Write[], more: Partial<Observed> = {}, reads: Read[] = []): Observed {
  const ledger = new Ledger();
  for (const each of writes) ledger.write(each);
  ledger.reads.push(...reads);
  const values = writes.filter(({ outcome }) => outcome === 'acknowledged').map(({ value }) => value);
  return {
    ledger,
    startedMs: 0,
    struckMs: 100,
    endedMs: 200,
    holdings: holdings(values),
    differing: [],
    marks: [],
    timeline: [],
    cutOff: null,
    healedMs: 50,
    originMs: 1_000_000,
    ...more,
  };
}

const entry = (afterMs: number, kind: string, source: string): TimelineEntry => ({
  atMs: 1_000_100 + afterMs,
  kind,
  source,
  text: kind,
});

test('the outage is the longest time without an acknowledged write since the failure', () => {
  const found = conclude(observed([write(0, 50), write(1, 95), write(2, 140), write(3, 150), write(4, 190)]));
  expect(found.outageMs).toBe(45);
  expect(conclude(observed([write(0, 95)])).outageMs).toBe(105);
});

test('the loss window reaches from the oldest lost write to the failure', () => {
  const found = conclude(
    observed([write(0, 50), write(1, 90), write(2, 99)], { holdings: holdings(['v0']) }),
  );
  expect(found.account.lost).toHaveLength(2);
  expect(found.lossWindowMs).toBe(10);
});

test('a string that is lost counts once, though its reads show the loss too; a register by its reads alone', () => {
  const at = (key: string, kind: Write['kind']) => (step: number, endMs: number) =>
    write(step, endMs, { kind, key });
  const string = at('s', 'string');
  const register = at('r', 'register');
  const read = (key: string, value: string, sentMs: number): Read => ({
    ...{ client: 9, listener: 'gate-1', from: 'primary', key, value },
    sentMs,
    endMs: sentMs + 1,
  });
  const writes = [string(0, 10), string(1, 90), register(0, 10), register(1, 90)];
  const reads = ['s', 'r'].flatMap((key) => [read(key, 'v0', 20), read(key, 'v0', 120)]);
  const held = { ...holdings([]), strings: new Map([['s', 'v0']]) };
  const found = conclude(observed(writes, { holdings: held }, reads));
  expect(found.account.lost).toHaveLength(1);
  expect(found.anomalies.lost).toBe(2);
  expect(found.lost).toBe(2);
});

test('promotions are counted by what the members’ own logs say, from the failure on', () => {
  const timeline = [
    entry(-50, 'promoted', 'redis-1'),
    entry(20, 'promoted', 'agent on a'),
    entry(20, 'promoted', 'redis-2'),
  ];
  const found = conclude(observed([write(0, 50)], { timeline }));
  expect(found.promotions).toEqual([{ member: 'redis-2', afterMs: 20 }]);
  expect(judge([promotions(1)], found)[0]?.held).toBe(true);
  expect(judge([promotions(0)], found)[0]).toMatchObject({ held: false, found: 'redis-2' });
});

test('a Sentinel that gave the primary up, or began a failover of its own', () => {
  const calm = conclude(observed([], { timeline: [entry(5, '+vote-for-leader', 'sentinel-1')] }));
  expect(judge([noSecondFailover], calm)[0]?.held).toBe(true);
  for (const kind of ['+sdown', '+try-failover']) {
    const found = conclude(observed([], { timeline: [entry(1000, kind, 'sentinel-2')] }));
    expect(judge([noSecondFailover], found)[0]?.held).toBe(false);
  }
});

describe('clients that were cut off', () => {
  const cutOff = { listeners: new Set(['gate-1']), fromMs: 100, untilMs: 180, trustedMs: 190 };
  const writes = [
    write(0, 90),
    write(1, 120),
    write(2, 150, { outcome: 'failed', error: 'NOREPLICAS' }),
    write(3, 160, { listener: 'gate-2', key: 'l', value: 'other' }),
  ];
  const found = conclude(observed(writes, { cutOff, holdings: holdings(['v0', 'other']) }));

  test('are told apart: their writes, their losses, their errors', () => {
    expect(found.cutOff).toMatchObject({
      acknowledged: 1,
      lost: 1,
      lastAcknowledgedAfterMs: 20,
      staleReads: 0,
    });
    expect(found.cutOff?.errors).toEqual({ NOREPLICAS: 1 });
    expect(found.errors).toEqual({});
    expect(judge([onlyUncertain], found)[0]?.held).toBe(true);
  });

  test('may be answered for a while and no longer', () => {
    expect(judge([cutOffTakesNoneAfter(25)], found)[0]?.held).toBe(true);
    expect(judge([cutOffTakesNoneAfter(15)], found)[0]?.held).toBe(false);
  });
});

describe('what always holds', () => {
  const broken = (seen: Observed) =>
    judge(alwaysPromised, conclude(seen)).flatMap(({ held }, i) => (held ? [] : [i]));
  const string = (step: number, endMs: number, more: Partial<Write> = {}) =>
    write(step, endMs, { kind: 'string', key: 's', ...more });
  const read = (value: string | null, sentMs: number, from: Read['from'] = 'primary'): Read => ({
    ...{ client: 9, listener: 'gate-1', from, key: 's', value },
    sentMs,
    endMs: sentMs + 1,
  });
  const strings = (value: string) => ({ ...holdings([]), strings: new Map([['s', value]]) });

  test('in a good run', () => {
    const seen = observed([string(0, 10), string(1, 20)], { holdings: strings('v1') }, [
      read('v0', 12),
      read('v1', 30),
    ]);
    expect(broken(seen)).toEqual([]);
  });

  test('a stale read at the primary’s listener breaks it; at a replica’s it does not', () => {
    const writes = [string(0, 10), string(1, 20)];
    const stale = [read('v1', 22), read('v0', 30), read('v1', 40)];
    expect(broken(observed(writes, { holdings: strings('v1') }, stale))).toEqual([0]);
    const atReplica = stale.map((each) => ({ ...each, from: 'replica' as const }));
    expect(broken(observed(writes, { holdings: strings('v1') }, atReplica))).toEqual([]);
    expect(broken(observed(writes, { holdings: strings('v1') }, [read('v9', 30, 'replica')]))).toEqual([0]);
  });

  test('a refused write that is there, an element that is there twice', () => {
    const writes = [write(0, 10), write(1, 20, { outcome: 'failed', error: 'NOPRIMARY' })];
    expect(broken(observed(writes, { holdings: holdings(['v0', 'v1']) }))).toEqual([1]);
    expect(broken(observed(writes, { holdings: holdings(['v0', 'v0']) }))).toEqual([1]);
  });

  test('replicas that differ, or no healing', () => {
    expect(broken(observed([write(0, 10)], { differing: [{ member: 'redis-2', keys: ['l'] }] }))).toEqual([
      2,
    ]);
    expect(broken(observed([write(0, 10)], { healedMs: null }))).toEqual([2]);
  });
});
