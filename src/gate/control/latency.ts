/**
 * A histogram whose buckets grow with what they hold: four to every doubling, so that whoever reads a quantile off
 * it is at most a quarter off. Recording is a few instructions; nothing is allocated.
 */

/** Microseconds. Bucket 0 holds what is below the first bound, the last one whatever is beyond the others. */
const firstExponent = 3;
const lastExponent = 26;
const perDoubling = 4;
const buckets = (lastExponent - firstExponent + 1) * perDoubling + 1;

export interface Latency {
  /** Requests that were timed, and the sum of their times. */
  count: number;
  sumMs: number;
  maxMs: number;
  /** At most this long took that share of them, to within a quarter; 0 when there were none. */
  p50Ms: number;
  p99Ms: number;
  /**
   * `[upToMs, count]`, ascending: requests that took up to so long, and longer than the bucket before says. Empty
   * ones are left out. Bounds are the same in every gate, so buckets can be added up; what grew since an earlier
   * look is the histogram of the time between. The last bound is null: no limit.
   */
  buckets: [upToMs: number | null, count: number][];
}

export class LatencyHistogram {
  readonly #counts = new Float64Array(buckets);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  /** Counts `count` requests that each took this long. */
  record(ms: number, count: number): void {
    this.#count += count;
    this.#sumMs += ms * count;
    if (ms > this.#maxMs) this.#maxMs = ms;
    this.#counts[bucketOf(ms)] = (this.#counts[bucketOf(ms)] as number) + count;
  }

  read(): Latency {
    const filled: Latency['buckets'] = [];
    for (const [index, count] of this.#counts.entries()) if (count > 0) filled.push([upperMs(index), count]);
    return summed(filled, this.#sumMs, this.#maxMs);
  }
}

/** One histogram of all of them. */
export function addLatencies(all: Latency[]): Latency {
  const counts = new Map<number | null, number>();
  for (const each of all) {
    for (const [upToMs, count] of each.buckets) counts.set(upToMs, (counts.get(upToMs) ?? 0) + count);
  }
  const bound = (upToMs: number | null) => upToMs ?? Number.POSITIVE_INFINITY;
  return summed(
    [...counts].toSorted(([a], [b]) => bound(a) - bound(b)),
    all.reduce((sum, { sumMs }) => sum + sumMs, 0),
    Math.max(0, ...all.map(({ maxMs }) => maxMs)),
  );
}

function summed(filled: Latency['buckets'], sumMs: number, maxMs: number): Latency {
  const count = countIn(filled);
  const quantile = (share: number) => quantileIn(filled, count * share, maxMs);
  return { count, sumMs, maxMs, p50Ms: quantile(0.5), p99Ms: quantile(0.99), buckets: filled };
}

export function countIn(buckets: Latency['buckets']): number {
  return buckets.reduce((sum, [, count]) => sum + count, 0);
}

/**
 * Up to how long the first so many took, in ms.
 * @param maxMs the longest of all, which stands for the last bucket: that has no bound
 */
export function quantileIn(buckets: Latency['buckets'], first: number, maxMs: number): number {
  let left = first;
  for (const [upToMs, count] of buckets) {
    left -= count;
    if (left <= 0) return Math.min(upToMs ?? maxMs, maxMs);
  }
  return maxMs;
}

/** Exported for its test: every time lies within the bounds of its bucket. */
export function bucketOf(ms: number): number {
  const us = ms * 1000;
  if (us < 1 << firstExponent) return 0;
  const whole = us < 2 ** 31 ? us | 0 : 2 ** 31 - 1;
  const exponent = 31 - Math.clz32(whole);
  const quarter = (whole >>> (exponent - 2)) & 3;
  const bucket = (exponent - firstExponent) * perDoubling + quarter + 1;
  return bucket < buckets ? bucket : buckets - 1;
}

/** The bound that every time in the bucket is below; null for the last. */
export function upperMs(bucket: number): number | null {
  if (bucket === buckets - 1) return null;
  const exponent = firstExponent + Math.floor(bucket / perDoubling);
  return (2 ** exponent * (1 + (bucket % perDoubling) / perDoubling)) / 1000;
}
