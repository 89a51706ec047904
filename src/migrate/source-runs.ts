/** From a plan to what reads each of its sources: as a replica does, or by scan. */
import { matchedBy } from '../base/key-pattern.ts';
import type { Target } from '../rdb/target.ts';
import { movingDatabases } from '../stream/database-moves.ts';
import { StreamCantCarry } from '../stream/errors.ts';
import type { FiniteSource } from '../stream/feed.ts';
import { changingKeys } from '../stream/key-changes.ts';
import type { KeyPositions } from '../stream/key-positions.ts';
import type { Rewriter } from '../stream/rewrite.ts';
import type { SourceAddress } from '../stream/source-address.ts';
import type { StreamOptions } from '../stream/stream.ts';
import type { TargetPlace } from '../stream/target-writer.ts';
import { FileRun } from './files/file-run.ts';
import type { FollowedSource } from './followed-source.ts';
import { KeyList } from './key-list.ts';
import { type MigrationPaths, type Plan, streamId } from './plan.ts';
import { mappingOf, patternsOf } from './plan-mapping.ts';
import { ScanRun } from './scan/scan-run.ts';
import { SourceRun } from './source-run.ts';
import type { TargetLag } from './target-lag.ts';

export interface RunsOptions {
  plan: Plan;
  paths: MigrationPaths;
  /** In the plan's order. */
  sources: readonly (SourceAddress | FiniteSource)[];
  target: TargetPlace;
  loads: Target;
  /** Of the target's commands. */
  positions: KeyPositions;
  /** Kept to before anything is written. */
  lag?: TargetLag | undefined;
}

/** One for each source, in the plan's order; and the lists of keys that they keep, to be closed behind them. */
export function sourceRuns(options: RunsOptions): { runs: FollowedSource[]; lists: KeyList[] } {
  const lists: KeyList[] = [];
  let lastFile: FileRun | undefined;
  const runs = options.sources.map((source, index): FollowedSource => {
    if (source.kind !== 'finite' && options.plan.method === 'scan') return scanRun(options, source, index);
    const list = new KeyList(options.paths.copied(index));
    lists.push(list);
    const { url } = options.plan.sources[index]!;
    const made = streamOptions(options, index, list);
    if (source.kind !== 'finite') return new SourceRun(url, { ...made, source });
    lastFile = new FileRun(url, { ...made, source }, lastFile);
    return lastFile;
  });
  return { runs, lists };
}

function streamOptions(options: RunsOptions, index: number, list: KeyList): Omit<StreamOptions, 'source'> {
  const { plan, target, loads, lag } = options;
  const { types } = plan.sources[index]!;
  return {
    ...{ id: streamId(plan, index), target, loads, maxRate: plan.maxRate, onConflict: plan.onConflict },
    rewriter:
      types.length === 0 ? rewriterOf(plan.sources[index]!, options) : withoutCommands(plan, index, options),
    types: types.length === 0 ? undefined : new Set(types),
    ...(lag === undefined ? {} : { hold: (signal) => lag.wait(signal) }),
    copied: plan.isAlone ? undefined : list,
  };
}

/** What type a key has that a command names, only the server can tell that executes it. */
function withoutCommands(plan: Plan, index: number, options: RunsOptions): Rewriter {
  const source = plan.sources[index]!;
  return {
    ...rewriterOf(source, options),
    rewrite: (name) => {
      if (name === 'function') return 'nothing';
      throw StreamCantCarry(
        `${source.url} goes on with commands, of which nobody can tell the types of their keys`,
        {
          hint: 'Take an RDB file, or have the AOF rewritten (BGREWRITEAOF); or leave out --types.',
        },
      );
    },
  };
}

function scanRun({ plan, target, lag }: RunsOptions, source: SourceAddress, index: number): ScanRun {
  const { url, owned, types } = plan.sources[index]!;
  const mapping = mappingOf(plan.sources[index]!);
  return new ScanRun({ name: url, source, target, mapping, types, lag, owned, maxRate: plan.maxRate });
}

function rewriterOf(source: Plan['sources'][number], { plan, positions }: RunsOptions): Rewriter {
  const { dbs, prefix, match } = source;
  const moving = movingDatabases({ dbs: new Map(dbs), isAlone: plan.isAlone });
  if (prefix === '' && match.length === 0) return moving;
  const isCarried = matchedBy(patternsOf(source));
  return changingKeys(moving, { prefix: Buffer.from(prefix), isCarried, positions });
}
