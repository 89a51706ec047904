/** Moves the primary many times under a write load: how long writes waited, and whether one was lost or failed. */
import { waitFor } from '../base/retry.ts';
import { HoldfastContender } from '../rig/holdfast-contender.ts';
import { type Distribution, describe, sumErrors } from './distribution.ts';
import { GapMeter, type WriteGap } from './write-gap.ts';

export interface SwitchoverOptions {
  times: number;
  clients: number;
  report: (line: string) => void;
  signal: AbortSignal;
}

/** The distribution is that of the longest wait of any write, per switchover. */
export interface SwitchoverReport extends Distribution {
  switchovers: number;
  waitsMs: number[];
  acknowledged: number;
  /** Keys that hold an older value than one that was acknowledged. */
  lost: string[];
  droppedConnections: number;
  errors: Record<string, number>;
}

const recoverWithinMs = 60_000;

export async function benchSwitchover(options: SwitchoverOptions): Promise<SwitchoverReport> {
  const contender = new HoldfastContender();
  try {
    await contender.start();
    const meter = new GapMeter(contender.connect(options.clients));
    const rounds: WriteGap[] = [];
    for (let round = 1; round <= options.times; round++) {
      options.signal.throwIfAborted();
      meter.mark();
      await waitFor(() => meter.seen.acknowledged > 200, {
        what: 'the load to run',
        withinMs: recoverWithinMs,
      });
      meter.mark();
      const { from, to } = await contender.switchover();
      rounds.push(meter.seen);
      options.report(
        `${round}/${options.times} ${from} → ${to}: longest wait ${meter.seen.waitMs.toFixed(0)} ms`,
      );
    }
    await meter.stop();
    const [reader] = contender.connect(1);
    const lost = reader ? await meter.lost(reader) : [];
    reader?.disconnect();
    return summarise(rounds, lost);
  } finally {
    await contender.stop();
  }
}

function summarise(rounds: WriteGap[], lost: string[]): SwitchoverReport {
  const waitsMs = rounds.map(({ waitMs }) => Math.round(waitMs));
  return {
    switchovers: rounds.length,
    waitsMs,
    ...describe(waitsMs),
    acknowledged: rounds.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    lost,
    droppedConnections: rounds.reduce((sum, { dropped }) => sum + dropped, 0),
    errors: sumErrors(rounds),
  };
}
