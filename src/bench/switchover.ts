/**
 * Moves the primary many times under a write load: how long writes waited, and whether one was lost or failed. Beside
 * each switchover stands an equally long time in which nothing was done: on a busy machine writes wait then, too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../base/retry.ts';
import type { HoldfastTestbed } from '../testbed/holdfast-testbed.ts';
import { BenchClient, openAt } from './bench-client.ts';
import { connectTo } from './candidate.ts';
import { type Distribution, describe, sumErrors } from './distribution.ts';
import { withTestbed } from './own-testbed.ts';
import { type BenchContext, type BenchHead, headOf } from './result.ts';
import { GapMeter } from './write-gap.ts';

export interface SwitchoverOptions {
  times: number;
  clients: number;
}

export interface SwitchoverRound {
  from: string;
  to: string;
  /** The longest wait of any write from the request until the Sentinels agreed. */
  waitMs: number;
  /** For how long writes were held back, by the agent's own clock. */
  heldMs: number;
  tookMs: number;
  /** The longest wait in the same time before it, in which nothing was done. */
  calmWaitMs: number;
}

export interface SwitchoverReport extends BenchHead {
  options: SwitchoverOptions;
  rounds: SwitchoverRound[];
  wait: Distribution;
  held: Distribution;
  calm: Distribution;
  acknowledged: number;
  /** Keys that hold an older value than one that was acknowledged. */
  lost: string[];
  droppedConnections: number;
  errors: Record<string, number>;
}

const recoverWithinMs = 60_000;
const firstCalmMs = 2000;

export async function benchSwitchover(
  options: SwitchoverOptions,
  context: BenchContext,
): Promise<SwitchoverReport> {
  const head = headOf('switchover', context);
  return withTestbed({ durability: 'async', persistence: 'aof-everysec' }, async ({ testbed, gate }) => {
    const meter = new GapMeter(connectTo(gate, options.clients));
    const rounds: SwitchoverRound[] = [];
    const seen: GapMeter['seen'][] = [];
    try {
      for (let round = 1; round <= options.times; round++) {
        context.signal.throwIfAborted();
        const result = await oneRound(testbed, meter, rounds.at(-1)?.tookMs ?? firstCalmMs, context.signal);
        rounds.push(result.round);
        seen.push(...result.seen);
        const { from, to, waitMs, calmWaitMs } = result.round;
        context.report(
          `${round}/${options.times} ${from} → ${to}: longest wait ${waitMs} ms (${calmWaitMs} ms when nothing was done)`,
        );
      }
    } finally {
      await meter.stop();
    }
    const reader = new BenchClient(
      () => openAt(gate),
      () => {},
    );
    const lost = await meter.lost(reader);
    reader.close();
    return { ...head, options, rounds, ...summarise(rounds, seen), lost };
  });
}

async function oneRound(
  testbed: HoldfastTestbed,
  meter: GapMeter,
  calmMs: number,
  signal: AbortSignal,
): Promise<{ round: SwitchoverRound; seen: GapMeter['seen'][] }> {
  meter.mark();
  await waitFor(() => meter.seen.acknowledged > 200, { what: 'the load to run', withinMs: recoverWithinMs });
  meter.mark();
  await delay(calmMs, undefined, { signal });
  const calm = meter.seen;
  meter.mark();
  const { from, to, heldMs, tookMs } = await testbed.plannedSwitchover();
  const { seen } = meter;
  const round = {
    ...{ from, to, heldMs, tookMs },
    waitMs: Math.round(seen.waitMs),
    calmWaitMs: Math.round(calm.waitMs),
  };
  return { round, seen: [calm, seen] };
}

function summarise(rounds: SwitchoverRound[], seen: GapMeter['seen'][]) {
  return {
    wait: describe(rounds.map(({ waitMs }) => waitMs)),
    held: describe(rounds.map(({ heldMs }) => heldMs)),
    calm: describe(rounds.map(({ calmWaitMs }) => calmWaitMs)),
    acknowledged: seen.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    droppedConnections: seen.reduce((sum, { dropped }) => sum + dropped, 0),
    errors: sumErrors(seen),
  };
}
