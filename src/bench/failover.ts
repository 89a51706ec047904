/**
 * Kills the primary with SIGKILL, many times, under a write load, and measures for how long no write was taken:
 * through holdfast, and beside it, in turn, with Sentinel alone.
 */
import { waitFor } from '../base/retry.ts';
import type { TestbedSettings } from '../testbed/testbed.ts';
import {
  type Candidate,
  holdfastCandidate,
  killPrimary,
  promotionsOf,
  sentinelCandidate,
  waitUntilWhole,
} from './candidate.ts';
import { type Distribution, describe, sumErrors } from './distribution.ts';
import { type BenchContext, type BenchHead, headOf } from './result.ts';
import { GapMeter } from './write-gap.ts';

export interface FailoverOptions {
  times: number;
  clients: number;
  /** `down-after-milliseconds` of the Sentinels that run alone. */
  downAfterMs: number;
  hosts: TestbedSettings['hosts'];
}

export interface FailoverReport extends BenchHead {
  options: FailoverOptions;
  candidates: ContenderReport[];
}

interface ContenderReport extends Distribution {
  name: string;
  kills: number;
  promotions: number;
  /** Per kill: how long no write was acknowledged, in ms. */
  gapsMs: number[];
  droppedConnections: number;
  errors: Record<string, number>;
}

const recoverWithinMs = 60_000;

export async function benchFailover(
  options: FailoverOptions,
  context: BenchContext,
): Promise<FailoverReport> {
  const head = headOf('failover', context);
  const { hosts, downAfterMs } = options;
  // Clients that ask Sentinels must reach what those name, which from outside of a network of hosts they don't.
  const alone = hosts === 'one' ? [sentinelCandidate(downAfterMs)] : [];
  const candidates = [holdfastCandidate(hosts), ...alone];
  const rounds = candidates.map((): Round[] => []);
  try {
    await Promise.all(candidates.map(({ testbed }) => testbed.start()));
    const before = candidates.map(({ testbed }) => promotionsOf(testbed));
    for (let kill = 1; kill <= options.times; kill++) {
      for (const [i, candidate] of candidates.entries()) {
        context.signal.throwIfAborted();
        const round = await killOnce(candidate, options.clients);
        rounds[i]?.push(round);
        context.report(`${kill}/${options.times} ${candidate.name}: ${round.gapMs.toFixed(0)} ms`);
      }
    }
    const after = candidates.map(({ testbed }) => promotionsOf(testbed));
    const reports = candidates.map(({ name }, i) =>
      summarise(name, rounds[i] ?? [], (after[i] ?? 0) - (before[i] ?? 0)),
    );
    return { ...head, options, candidates: reports };
  } finally {
    await Promise.allSettled(candidates.map(({ testbed }) => testbed.stop()));
  }
}

type Round = GapMeter['seen'];

async function killOnce({ testbed, connect }: Candidate, clients: number): Promise<Round> {
  const meter = new GapMeter(await connect(clients));
  try {
    await waitFor(() => meter.seen.acknowledged > 200, {
      what: 'the load to run',
      withinMs: recoverWithinMs,
    });
    meter.mark();
    await killPrimary(testbed);
    const { acknowledged } = meter.seen;
    const recovered = () => meter.seen.acknowledged > acknowledged + 200 && meter.seen.gapMs > 0;
    await waitFor(recovered, { what: 'writes to be taken again', withinMs: recoverWithinMs });
    await waitUntilWhole(testbed);
    return meter.seen;
  } finally {
    await meter.stop();
  }
}

function summarise(name: string, rounds: Round[], promotions: number): ContenderReport {
  const gapsMs = rounds.map(({ gapMs }) => Math.round(gapMs));
  return {
    name,
    kills: rounds.length,
    promotions,
    gapsMs,
    ...describe(gapsMs),
    droppedConnections: rounds.reduce((sum, { dropped }) => sum + dropped, 0),
    errors: sumErrors(rounds),
  };
}
