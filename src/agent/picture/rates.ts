/** What happened a second, from two looks at something that counts up. Pure. */
import type { CommandClass } from '../../gate/commands/command-table.ts';
import type { GateStatus } from '../../gate/control/control-api.ts';
import { countIn, type Latency, quantileIn } from '../../gate/control/latency.ts';

/** Share of the requests between two looks that took at most so long; null when there were none. */
export interface LatencyBetween {
  p50Ms: number;
  p99Ms: number;
}

export interface GateRates {
  commandsPerSecond: number;
  errorsPerSecond: number;
  bytesInPerSecond: number;
  bytesOutPerSecond: number;
  cpuShare: number;
  classes: Record<string, number>;
  latency: { read: LatencyBetween | null; write: LatencyBetween | null };
}

/**
 * Null when the two looks can't be compared: the gate was started anew, or one of its workers, or it is the same look. The
 * time between is the gate's own, so that it does not matter when it was asked.
 */
export function gateRates(before: GateStatus, now: GateStatus): GateRates | null {
  const ms = now.process.upMs - before.process.upMs;
  if (before.pid !== now.pid || ms <= 0) return null;
  const a = before.counters;
  const b = now.counters;
  if (b.commands < a.commands || b.bytesIn < a.bytesIn) return null;
  const rate = (earlier: number, later: number) => (Math.max(0, later - earlier) * 1000) / ms;
  const errors = (status: GateStatus) => Object.values(status.errors).reduce((sum, each) => sum + each, 0);
  const classes = Object.entries(now.classes).map(([name, count]) => [
    name,
    rate(before.classes[name as CommandClass] ?? 0, count),
  ]);
  return {
    commandsPerSecond: rate(a.commands, b.commands),
    errorsPerSecond: rate(errors(before), errors(now)),
    bytesInPerSecond: rate(a.bytesIn, b.bytesIn),
    bytesOutPerSecond: rate(a.bytesOut, b.bytesOut),
    cpuShare: rate(before.process.cpuMs, now.process.cpuMs) / 1000,
    classes: Object.fromEntries(classes) as Record<string, number>,
    latency: {
      read: latencyBetween(before.latency.read, now.latency.read),
      write: latencyBetween(before.latency.write, now.latency.write),
    },
  };
}

export type Buckets = Latency['buckets'];

/** What grew between two looks at a histogram. */
export function latencyBetween(before: Latency, now: Latency): LatencyBetween | null {
  return quantilesOf(bucketsBetween(before.buckets, now.buckets), now.maxMs);
}

export function bucketsBetween(before: Buckets, now: Buckets): Buckets {
  const had = new Map(before);
  return now.flatMap(([upToMs, count]): Buckets => {
    const grown = count - (had.get(upToMs) ?? 0);
    return grown > 0 ? [[upToMs, grown]] : [];
  });
}

/** @param maxMs stands for the last bucket, which has no bound. */
export function quantilesOf(buckets: Buckets, maxMs: number): LatencyBetween | null {
  const count = countIn(buckets);
  if (count === 0) return null;
  const quantile = (share: number) => quantileIn(buckets, count * share, maxMs);
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}
