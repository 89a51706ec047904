import { expect, test } from 'vitest';
import { renderMarkdown } from '../report/markdown.ts';
import type { Result } from './campaign.ts';
import { drillCsv, drillData } from './data.ts';
import { conclude } from './finding.ts';
import { Ledger } from './ledger.ts';
import { drillSections } from './page.ts';
import { judge } from './promises.ts';
import type { DrillRun } from './run.ts';
import type { DrillSettings, Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { seriesOf } from './series.ts';
import { hasBroken } from './summary.ts';

const settings: DrillSettings = {
  durability: 'async',
  standalone: { sentinels: true, onSplit: 'refuse' },
  tls: false,
  persistence: 'aof-everysec',
  clients: 1,
  writesPerSecond: 100,
  valueBytes: 10,
  durationMs: 1000,
};
const scenario = scenarios.find(({ name }) => name === 'primary-crash') as Scenario;

/** A run in which this many replicas were promoted, after a wait. */
function runOf(promoted: number, waitMs: number): DrillRun {
  const ledger = new Ledger();
  ledger.waits.push({ client: 0, listener: 'gate-1', endMs: 150, waitMs });
  const timeline = Array.from({ length: promoted }, (_, i) => ({
    ...{ atMs: 120 + i, source: `redis-${i + 2}`, kind: 'promoted', text: 'is primary from now on' },
  }));
  const seen = {
    ...{
      ledger,
      startedMs: 0,
      struckMs: 100,
      endedMs: 200,
      differing: [],
      timeline,
      cutOff: null,
      healedMs: 9,
    },
    holdings: { strings: new Map(), counters: new Map(), lists: new Map(), hashes: new Map() },
    marks: [{ atMs: 100, label: 'redis-1 is killed' }],
    originMs: 0,
  };
  const finding = conclude(seen);
  const judgements = judge(scenario.thenHolds(settings), finding);
  return {
    scenario: scenario.name,
    testbed: 'holdfast',
    finding,
    judgements,
    trouble: null,
    series: seriesOf(seen),
  };
}

const resultOf = (more: Partial<Result>): Result => ({
  ...{ scenario, testbed: 'holdfast', binding: true, runs: [], failures: [], skipped: null },
  ...more,
});
const markdown = (results: Result[]) =>
  renderMarkdown({ title: 'Drills', subtitle: '', sections: drillSections(results, settings) });

test('what was promised stands beside what was found', () => {
  const text = markdown([resultOf({ runs: [runOf(1, 80)] })]);
  expect(text).toContain('| exactly one replica is promoted | yes: redis-2 |');
  expect(text).toContain('given a primary and two replicas under load, when the primary is killed');
  expect(text).toMatch(/\| primary-crash \| holdfast \| 1 \|.*\| 80 \|.*\| redis-2 \| kept \|/);
});

test('several runs: median and worst, and how often a promise was broken', () => {
  const results = [resultOf({ runs: [runOf(1, 80), runOf(2, 90), runOf(1, 300)] })];
  const text = markdown(results);
  expect(text).toContain('90 / 300');
  expect(text).toContain('1 to 2 a time: redis-2 ×3, redis-3');
  expect(text).toContain('BROKEN in 1 of 3');
  expect(text).toContain('BROKEN: 1 of 3 times: redis-2, then redis-3');
  expect(hasBroken(results)).toBe(true);
  expect(drillCsv(results).rows.map((row) => row.at(-1))).toEqual(['yes', 'no', 'yes']);
});

test('what nobody promised breaks nothing, and what makes no sense there says so', () => {
  const plain = resultOf({ testbed: 'Sentinel + HAProxy', binding: false, runs: [runOf(0, 17_000)] });
  const results = [resultOf({ runs: [runOf(1, 80)] }), plain];
  expect(hasBroken(results)).toBe(false);
  const text = markdown(results);
  expect(text).toContain('| exactly one replica is promoted | yes: redis-2 | no: nobody |');
  expect(text).toContain('makes no sense here');
});

test('what was skipped or failed is told with its reason; a failure is no success', () => {
  const results = [resultOf({ skipped: 'no root' }), resultOf({ failures: ['it did not start'] })];
  const text = markdown(results);
  expect(text).toContain('no root');
  expect(text).toContain('it did not start');
  expect(hasBroken(results)).toBe(true);
  expect(hasBroken(results.slice(0, 1))).toBe(false);
  expect(drillData(results, settings).drills.map(({ skipped }) => skipped)).toEqual(['no root', null]);
});

test('every scenario has a name of its own, a reason for or against a live deployment, and promises', () => {
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  for (const each of scenarios) {
    expect(each.live.why).not.toBe('');
    expect(each.thenHolds({ ...settings, durability: 'replicated' }).length).toBeGreaterThan(0);
  }
});
