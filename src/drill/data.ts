/** The results of drills as data, for `--json` and `--csv`. Pure. */
import type { Result } from './campaign.ts';
import { isKept } from './kept.ts';
import { describeErrors } from './promises.ts';
import type { DrillRun } from './run.ts';
import type { DrillSettings } from './scenario.ts';
import { summarise } from './summary.ts';

/** Of long lists as many are shown as a person can look into. */
const examples = 20;

export function drillData(results: readonly Result[], settings: DrillSettings) {
  return {
    settings,
    drills: results.map(({ scenario, testbed, binding, runs, failures, skipped }) => ({
      scenario: scenario.name,
      given: scenario.given,
      when: scenario.when,
      deployment: testbed,
      binding,
      skipped,
      failures,
      ...(runs.length === 0 ? {} : { summary: summarise(runs) }),
      runs: runs.map(runData),
    })),
  };
}

function runData(run: DrillRun) {
  const { finding, judgements, trouble, series } = run;
  const { account } = finding;
  return {
    kept: isKept(run),
    trouble,
    promises: judgements,
    attempted: account.attempted,
    acknowledged: account.acknowledged,
    failed: account.failed,
    unknown: account.unknown,
    lost: finding.lost,
    lostExamples: account.lost.slice(0, examples),
    presentUnacknowledged: account.presentUnacknowledged,
    presentThoughRefused: account.presentRefused.length,
    appliedTwice: account.duplicated.slice(0, examples),
    errors: finding.errors,
    readErrors: finding.readErrors,
    reads: finding.reads,
    anomalies: finding.anomalies,
    anomalyExamples: finding.examples,
    droppedConnections: finding.droppedConnections,
    longestWaitMs: finding.longestWaitMs,
    outageMs: finding.outageMs,
    lossWindowMs: finding.lossWindowMs,
    promotions: finding.promotions,
    healedMs: finding.healedMs,
    cutOff: finding.cutOff,
    differing: finding.differing.map(({ member, keys }) => ({ member, keys: keys.slice(0, examples) })),
    steps: finding.steps,
    series,
  };
}

export function drillCsv(results: readonly Result[]) {
  const header = [
    ...['drill', 'deployment', 'run', 'acknowledged', 'lost', 'present_unacknowledged', 'errors', 'dropped'],
    ...['longest_wait_ms', 'outage_ms', 'loss_window_ms', 'promoted', 'healed_ms', 'kept'],
  ];
  const rows = results.flatMap(({ scenario, testbed, runs }) =>
    runs.map((run, i) => {
      const { finding } = run;
      return [
        ...[scenario.name, testbed, i + 1, finding.account.acknowledged, finding.lost],
        ...[
          finding.account.presentUnacknowledged,
          describeErrors(finding.errors),
          finding.droppedConnections,
        ],
        ...[finding.longestWaitMs, finding.outageMs, finding.lossWindowMs].map(Math.round),
        finding.promotions.map(({ member }) => member).join(' '),
        Math.round(finding.healedMs ?? -1),
        isKept(run) ? 'yes' : 'no',
      ];
    }),
  );
  return { header, rows };
}
