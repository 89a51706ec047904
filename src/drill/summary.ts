/** The runs of one scenario on one kind of deployment, summed up. Pure. */
import { dictionary } from '../base/dictionary.ts';
import type { Result } from './campaign.ts';
import { isKept } from './kept.ts';
import type { Judgement, Verdict } from './promises.ts';
import type { DrillRun } from './run.ts';

export interface Spread {
  min: number;
  median: number;
  p95: number;
  max: number;
}

export interface Summary {
  runs: number;
  acknowledged: number;
  lost: number;
  presentUnacknowledged: number;
  errors: Record<string, number>;
  dropped: number;
  /** ms */
  longestWait: Spread;
  outage: Spread;
  lossWindow: Spread;
  /** How often each was promoted. */
  promoted: Record<string, number>;
  /** The most and the fewest promotions of one run. */
  promotionsPerRun: [fewest: number, most: number] | null;
  /** Runs in which every promise held. */
  kept: number;
}

export function summarise(runs: readonly DrillRun[]): Summary {
  const findings = runs.map(({ finding }) => finding);
  const sum = (of: (finding: DrillRun['finding']) => number) =>
    findings.reduce((total, each) => total + of(each), 0);
  const errors = dictionary<number>();
  for (const finding of findings) {
    for (const counts of [finding.errors, finding.readErrors, finding.cutOff?.errors ?? {}]) {
      for (const [word, count] of Object.entries(counts)) errors[word] = (errors[word] ?? 0) + count;
    }
  }
  const promoted = dictionary<number>();
  for (const { member } of findings.flatMap(({ promotions }) => promotions)) {
    promoted[member] = (promoted[member] ?? 0) + 1;
  }
  const counts = findings.map(({ promotions }) => promotions.length);
  return {
    runs: runs.length,
    acknowledged: sum(({ account }) => account.acknowledged),
    lost: sum(({ lost }) => lost),
    presentUnacknowledged: sum(({ account }) => account.presentUnacknowledged),
    errors,
    dropped: sum(({ droppedConnections }) => droppedConnections),
    longestWait: spread(findings.map(({ longestWaitMs }) => longestWaitMs)),
    outage: spread(findings.map(({ outageMs }) => outageMs)),
    lossWindow: spread(findings.map(({ lossWindowMs }) => lossWindowMs)),
    promoted,
    promotionsPerRun: counts.length === 0 ? null : [Math.min(...counts), Math.max(...counts)],
    kept: runs.filter(isKept).length,
  };
}

/** A promise that is holdfast's to keep was broken, or a run did not come to its end. */
export function hasBroken(results: readonly Result[]): boolean {
  return results.some(
    ({ binding, runs, failures }) => binding && !(failures.length === 0 && runs.every(isKept)),
  );
}

/** What became of one promise over all runs. */
export function verdictOf(runs: readonly DrillRun[], promise: string): Verdict | null {
  const all = runs.flatMap(({ judgements }) => judgements.filter((each) => each.promise === promise));
  const [first] = all as [Judgement?];
  if (!first) return null;
  const broken = all.filter(({ held }) => !held);
  if (all.length === 1) return { held: first.held, found: first.found };
  const [worst] = broken as [Judgement?];
  if (worst) return { held: false, found: `${broken.length} of ${all.length} times: ${worst.found}` };
  return { held: true, found: `${all.length} of ${all.length} times` };
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { min: at(0), median: at(0.5), p95: at(0.95), max: Math.round(sorted.at(-1) ?? 0) };
}
