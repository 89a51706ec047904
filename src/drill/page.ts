/** The results of drills as a page: one table of all, what was promised and found, and the course of each. Pure. */
import type { ChartSection, Section, TableSection } from '../report/page.ts';
import type { Result } from './campaign.ts';
import { describeErrors } from './promises.ts';
import type { DrillRun } from './run.ts';
import type { DrillSettings } from './scenario.ts';
import { type Spread, type Summary, summarise, verdictOf } from './summary.ts';

/** Steps of a failover that are worth a row; an agent's other events are in its own log. */
const mostSteps = 60;

export function drillSections(results: readonly Result[], settings: DrillSettings): Section[] {
  const scenarios = [...new Set(results.map(({ scenario }) => scenario))];
  const expectations = scenarios.map((scenario) =>
    expectationTable(
      results.filter((result) => result.scenario === scenario),
      settings,
    ),
  );
  const courses = results.flatMap((result) => {
    const run = interestingRun(result);
    return run ? [courseChart(result, run), stepTable(result, run)] : [];
  });
  return [overview(results), ...expectations, ...courses];
}

function overview(results: readonly Result[]): TableSection {
  return {
    kind: 'table',
    title: 'What was found',
    header: [
      ...['drill', 'deployment', 'runs', 'writes', 'lost', 'unsure', 'dropped', 'wait ms', 'RTO ms'],
      ...['RPO ms', 'promoted', 'promises', 'errors'],
    ],
    rows: results.map(overviewRow),
    note: 'writes: acknowledged. lost: acknowledged, and not there in the end. unsure: the client was not told, and it is there. dropped: connections. wait: the longest of any client, from wanting to write to having it acknowledged, tries that failed included. RTO: the longest time without an acknowledged write by anyone who could reach the majority. RPO: the time over which acknowledged writes were lost. Several runs: median / worst.',
  };
}

function overviewRow(result: Result): (string | number)[] {
  const { scenario, testbed, runs, failures, skipped } = result;
  const empty = new Array<string>(8).fill('');
  if (skipped !== null) return [scenario.name, testbed, 0, ...empty, 'skipped', skipped];
  if (runs.length === 0) return [scenario.name, testbed, 0, ...empty, 'FAILED', failures[0] ?? ''];
  const all = summarise(runs);
  return [
    ...[scenario.name, testbed, all.runs, all.acknowledged, all.lost, all.presentUnacknowledged],
    all.dropped,
    ...[
      spreadCell(all.longestWait, all.runs),
      spreadCell(all.outage, all.runs),
      spreadCell(all.lossWindow, all.runs),
    ],
    describePromoted(all),
    verdictWord(result, all),
    describeErrors(all.errors),
  ];
}

function verdictWord({ binding, runs, failures }: Result, { kept }: Summary): string {
  if (!binding) return heldWord(runs);
  const count = runs.length + failures.length;
  if (kept === count) return 'kept';
  return count === 1 ? 'BROKEN' : `BROKEN in ${count - kept} of ${count}`;
}

/** Nobody promised these of it: how many would have held. */
function heldWord(runs: readonly DrillRun[]): string {
  const all = runs.flatMap(({ judgements }) => judgements).filter(({ notPlain }) => notPlain === undefined);
  return `${all.filter(({ held }) => held).length} of ${all.length} would hold`;
}

function spreadCell({ median, max }: Spread, runs: number): string | number {
  return runs === 1 ? max : `${median} / ${max}`;
}

function describePromoted({ promoted, promotionsPerRun, runs }: Summary): string {
  const ids = Object.keys(promoted).sort();
  if (ids.length === 0) return 'nobody';
  const many = (id: string) => ((promoted[id] ?? 0) > 1 ? `${id} ×${promoted[id]}` : id);
  if (runs === 1) return ids.map(many).join(', ');
  const [fewest, most] = promotionsPerRun ?? [0, 0];
  const each = fewest === most ? `${most} each time` : `${fewest} to ${most} a time`;
  return `${each}: ${ids.map(many).join(', ')}`;
}

/** Given, when, then; and what each deployment made of it. */
function expectationTable(results: readonly Result[], settings: DrillSettings): TableSection {
  const [{ scenario }] = results as [Result];
  const promises = results.flatMap(({ runs }) => runs.flatMap(({ judgements }) => judgements));
  const sentences = [...new Set(promises.map(({ promise }) => promise))];
  const expected =
    sentences.length > 0 ? sentences : scenario.thenHolds(settings).map(({ sentence }) => sentence);
  const cell = (result: Result, promise: string) => {
    if (result.skipped !== null) return `skipped: ${result.skipped}`;
    const senseless = promises.find((each) => each.promise === promise)?.notPlain;
    if (senseless !== undefined && !result.binding) return senseless;
    const verdict = verdictOf(result.runs, promise);
    if (verdict === null) return 'did not come to that';
    return `${verdict.held ? 'yes' : result.binding ? 'BROKEN' : 'no'}: ${verdict.found}`;
  };
  const troubles = results.flatMap(({ testbed, runs, failures }) => [
    ...failures.map((failure) => `${testbed} failed: ${failure}.`),
    ...runs.flatMap(({ trouble }) => (trouble === null ? [] : [`${testbed}: ${trouble}.`])),
  ]);
  const cutOff = results.flatMap(describeCutOff);
  const note = [...troubles, ...cutOff].join(' ');
  return {
    kind: 'table',
    title: `${scenario.name}: given ${scenario.given}, when ${scenario.when}`,
    header: ['then', ...results.map(({ testbed }) => testbed)],
    rows: expected.map((promise) => [promise, ...results.map((result) => cell(result, promise))]),
    ...(note === '' ? {} : { note }),
  };
}

function describeCutOff({ testbed, runs }: Result): string[] {
  const [cut] = runs.flatMap(({ finding }) => (finding.cutOff ? [finding.cutOff] : []));
  if (!cut) return [];
  const last =
    cut.lastAcknowledgedAfterMs === null
      ? ''
      : `, the last after ${Math.round(cut.lastAcknowledgedAfterMs)} ms`;
  return [
    `${testbed}: the primary that was cut off acknowledged ${cut.acknowledged} writes${last}; ${cut.lost} of those in lists, hashes, counters and strings are lost; its clients saw ${describeErrors(cut.errors)}, and ${cut.staleReads} reads that had been overtaken.`,
  ];
}

/** The worst run tells the most. */
function interestingRun({ runs }: Result): DrillRun | undefined {
  const broken = runs.find(({ judgements }) => judgements.some(({ held }) => !held));
  return broken ?? runs.toSorted((a, b) => b.finding.longestWaitMs - a.finding.longestWaitMs)[0];
}

function courseChart({ scenario, testbed, runs }: Result, { series, finding }: DrillRun): ChartSection {
  const promoted = finding.promotions.map(({ member, afterMs }) => ({
    x: Math.round(afterMs) / 1000,
    label: `${member} promoted`,
  }));
  const which = runs.length === 1 ? '' : ', the run with the longest wait';
  return {
    kind: 'chart',
    title: `${scenario.name}, ${testbed}: the course${which}`,
    xLabel: 'seconds since the failure',
    x: series.x,
    series: [
      { label: 'acknowledged writes', unit: '1/s', values: series.throughput },
      { label: 'longest wait', unit: 'ms', values: series.longestWaitMs },
    ],
    marks: [...series.marks, ...promoted].toSorted((a, b) => a.x - b.x),
  };
}

function stepTable({ scenario, testbed }: Result, { finding }: DrillRun): TableSection {
  const left = finding.steps.length - mostSteps;
  return {
    kind: 'table',
    title: `${scenario.name}, ${testbed}: step by step`,
    header: ['ms since the failure', 'who', 'what'],
    rows: finding.steps
      .slice(0, mostSteps)
      .map(({ afterMs, source, text }) => [Math.round(afterMs), source, text]),
    detail: true,
    ...(left > 0 ? { note: `${left} more are left out.` } : {}),
  };
}
