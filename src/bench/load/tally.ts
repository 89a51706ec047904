import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** What one thread's users saw. Posted between threads as it is. */
export interface Tally {
  /** From a request's last byte to its answer's, in microseconds. */
  latency: RecordableHistogram;
  /** How much later than its user wanted a request was sent: the generator's own delay, in microseconds. */
  lag: RecordableHistogram;
  buckets: Bucket[];
  /** Error replies by their first word, and connections that could not be made. */
  errors: Record<string, number>;
  /** Connections that ended though nobody wanted it. */
  dropped: number;
  /** Share of the time in which the thread's event loop was at work. */
  utilization: number;
}

/** What was answered in one slice of time. */
export interface Bucket {
  reads: number;
  writes: number;
  errors: number;
  /** The longest wait of those that were answered in it. */
  longestMs: number;
}

const longestMicros = 120_000_000;

export function newTally(): Tally {
  const histogram = () => createHistogram({ lowest: 1, highest: longestMicros, figures: 3 });
  return { latency: histogram(), lag: histogram(), buckets: [], errors: {}, dropped: 0, utilization: 0 };
}

export function newBucket(): Bucket {
  return { reads: 0, writes: 0, errors: 0, longestMs: 0 };
}

/** A histogram takes whole numbers from 1. */
export function recordMs(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.min(longestMicros, Math.max(1, Math.round(ms * 1000))));
}

export function mergeTallies(tallies: readonly Tally[]): Tally {
  const all = newTally();
  for (const tally of tallies) {
    all.latency.add(tally.latency);
    all.lag.add(tally.lag);
    all.dropped += tally.dropped;
    all.utilization = Math.max(all.utilization, tally.utilization);
    for (const [word, count] of Object.entries(tally.errors))
      all.errors[word] = (all.errors[word] ?? 0) + count;
    for (let i = 0; i < tally.buckets.length; i++) {
      const from = tally.buckets[i] ?? newBucket();
      all.buckets[i] ??= newBucket();
      const into = all.buckets[i] as Bucket;
      into.reads += from.reads;
      into.writes += from.writes;
      into.errors += from.errors;
      into.longestMs = Math.max(into.longestMs, from.longestMs);
    }
  }
  return all;
}
