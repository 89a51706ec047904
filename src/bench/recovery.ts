/** What a kill did to the throughput, read off slices of time. Pure. */
import { median } from './distribution.ts';
import { type Bucket, newBucket } from './load/tally.ts';

export interface Recovery {
  /** Requests answered a second before the kill: the median of slices of `windowMs`. */
  usualRps: number;
  /** The longest time without an acknowledged write from the kill on, to the length of a slice. */
  writeGapMs: number;
  /** From the kill until `windowMs` in which at least 90% of the usual was answered; null when it never came. */
  recoveredMs: number | null;
  /** The longest wait of any request that was answered after the kill. */
  longestWaitMs: number;
  errorsAfter: number;
}

const windowMs = 500;
const usualShare = 0.9;

/** @param killMs when it was, from the start of the first slice */
export function recoveryOf(buckets: readonly Bucket[], bucketMs: number, killMs: number): Recovery {
  const kill = Math.floor(killMs / bucketMs);
  const width = Math.max(1, Math.round(windowMs / bucketMs));
  const answered = buckets.map(({ reads, writes }) => reads + writes);
  const before = chunks(answered.slice(0, kill), width).map(sum);
  const usual = median(before);
  const after = buckets.slice(kill);
  return {
    usualRps: Math.round((usual * 1000) / (width * bucketMs)),
    writeGapMs: longestRun(after.map(({ writes }) => writes === 0)) * bucketMs,
    recoveredMs: recoveredAfter(answered.slice(kill), width, usual * usualShare, bucketMs),
    longestWaitMs: Math.round(Math.max(0, ...after.map(({ longestMs }) => longestMs))),
    errorsAfter: after.reduce((all, { errors }) => all + errors, 0),
  };
}

function recoveredAfter(
  answered: readonly number[],
  width: number,
  wanted: number,
  bucketMs: number,
): number | null {
  let inWindow = sum(answered.slice(0, width));
  for (let start = 0; start + width <= answered.length; start++) {
    if (inWindow >= wanted) return start * bucketMs;
    inWindow += (answered[start + width] ?? 0) - (answered[start] as number);
  }
  return null;
}

/** Slices of another length: for a chart, whose points must not be too many. */
export function widen(buckets: readonly Bucket[], factor: number): Bucket[] {
  return chunks(buckets, factor).map((part) =>
    part.reduce(
      (all, each) => ({
        reads: all.reads + each.reads,
        writes: all.writes + each.writes,
        errors: all.errors + each.errors,
        longestMs: Math.max(all.longestMs, each.longestMs),
      }),
      newBucket(),
    ),
  );
}

/** Whole ones only: a last one that is cut short would look like a fall. */
function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.floor(values.length / size) }, (_, i) =>
    values.slice(i * size, (i + 1) * size),
  );
}

function longestRun(flags: readonly boolean[]): number {
  let longest = 0;
  let run = 0;
  for (const flag of flags) {
    run = flag ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
