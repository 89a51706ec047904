/** From a plan to what reads each of its sources: as a replica does, or by scan. */
import { KeyPattern, matchedBy } from '../base/key-pattern.ts';
import { patternBytes } from '../rdb/key-text.ts';
import type { Target } from '../rdb/target.ts';
import { movingDatabases } from '../stream/database-moves.ts';
import { changingKeys } from '../stream/key-changes.ts';
import type { KeyPositions } from '../stream/key-positions.ts';
import type { Rewriter } from '../stream/rewrite.ts';
import type { SourceAddress } from '../stream/source-address.ts';
import type { TargetPlace } from '../stream/target-writer.ts';
import type { FollowedSource } from './followed-source.ts';
import { KeyList } from './key-list.ts';
import { KeyMapping } from './key-mapping.ts';
import { type MigrationPaths, type Plan, streamId } from './plan.ts';
import { ScanRun } from './scan/scan-run.ts';
import { SourceRun } from './source-run.ts';

export interface RunsOptions {
  plan: Plan;
  paths: MigrationPaths;
  /** In the plan's order. */
  sources: readonly SourceAddress[];
  target: TargetPlace;
  loads: Target;
  /** Of the target's commands. */
  positions: KeyPositions;
}

/** One for each source, in the plan's order; and the lists of keys that they keep, to be closed behind them. */
export function sourceRuns(options: RunsOptions): { runs: FollowedSource[]; lists: KeyList[] } {
  const { plan } = options;
  if (plan.method === 'scan') {
    return { runs: plan.sources.map((_, index) => scanRun(options, index)), lists: [] };
  }
  const lists = plan.sources.map((_, index) => new KeyList(options.paths.copied(index)));
  return { runs: lists.map((list, index) => streamRun(options, index, list)), lists };
}

function streamRun(options: RunsOptions, index: number, list: KeyList): SourceRun {
  const { plan, target, loads } = options;
  const source = plan.sources[index]!;
  return new SourceRun(source.url, {
    ...{ id: streamId(plan, index), source: options.sources[index]!, target, loads, maxRate: plan.maxRate },
    rewriter: rewriterOf(source, options),
    replaces: plan.onConflict === 'last',
    copied: plan.isAlone ? undefined : list,
  });
}

function scanRun({ plan, sources, target }: RunsOptions, index: number): ScanRun {
  const { url, dbs, prefix, owned } = plan.sources[index]!;
  const mapping = new KeyMapping({
    ...{ prefix: Buffer.from(prefix), patterns: patternsOf(plan.sources[index]!), dbs: new Map(dbs) },
  });
  return new ScanRun({ name: url, source: sources[index]!, target, mapping, owned, maxRate: plan.maxRate });
}

function rewriterOf(source: Plan['sources'][number], { plan, positions }: RunsOptions): Rewriter {
  const { dbs, prefix, match } = source;
  const moving = movingDatabases({ dbs: new Map(dbs), isAlone: plan.isAlone });
  if (prefix === '' && match.length === 0) return moving;
  const isCarried = matchedBy(patternsOf(source));
  return changingKeys(moving, { prefix: Buffer.from(prefix), isCarried, positions });
}

function patternsOf({ match }: Plan['sources'][number]): KeyPattern[] {
  return match.map((pattern) => new KeyPattern(patternBytes(pattern)));
}
