/**
 * Whether the reads and writes of one key could have happened one after the other, each at some moment between its
 * start and its end (a linearizable register), and if not, what went wrong.
 *
 * Every value is written once, so it is known which write a read saw. That makes an exact check cheap, in O(n log n)
 * (Gibbons and Korach, "Testing Shared Memories", SIAM J. Comput. 26(4), 1997; the words are those of Golab, Li and
 * Shah, "Analyzing Consistency Properties for Fun and Profit", PODC 2011). A value's write and the reads that saw it
 * form a cluster; let `f` be the first end and `s` the last start among them. From f to s (a forward zone, f < s) the
 * register must have held that value; otherwise (a backward zone, s to f) any moment within would do. The history is
 * linearizable if and only if every read saw a value that was written, and not before that write began; no two forward
 * zones overlap; and no backward zone lies within a forward one.
 *
 * A write whose answer never came may have happened at any later time, or never. If no read saw its value, leaving it
 * out changes nothing. If one did, it happened before the first such read ended, so its end is known after all.
 */
import type { Outcome } from './ledger.ts';

export interface RegisterWrite {
  value: string;
  startMs: number;
  endMs: number;
  outcome: Outcome;
}

/** Null is what the key held before the first write. */
export interface RegisterRead {
  value: string | null;
  startMs: number;
  endMs: number;
}

/**
 * - `lost`: an older value was read after this one had been acknowledged, and this one never again. It is gone, or
 *   the reads were stale and it was overwritten before anyone read it: this key alone can't tell.
 * - `undone`: the same for a write that was seen by a read but never acknowledged.
 * - `stale`: an older value was read although a newer one was there before and after.
 * - `refused`: the value of a write that was refused was read.
 * - `impossible`: a value was read that nobody wrote, or before its write began.
 */
export interface Anomaly {
  kind: 'lost' | 'undone' | 'stale' | 'refused' | 'impossible';
  key: string;
  /** The value that it is about: the newer one of two. */
  value: string | null;
  /** What showed it. */
  older?: string | null;
  atMs: number;
}

interface Cluster {
  value: string | null;
  outcome: Outcome;
  writeStartMs: number;
  firstEndMs: number;
  lastStartMs: number;
}

export function checkRegister(
  key: string,
  writes: readonly RegisterWrite[],
  reads: readonly RegisterRead[],
): Anomaly[] {
  const { clusters, anomalies } = gather(key, writes, reads);
  const forward = clusters.filter(isForward).toSorted((a, b) => a.firstEndMs - b.firstEndMs);
  const backward = clusters.filter((each) => !isForward(each));
  const found = [...anomalies, ...overlaps(key, forward), ...swallowed(key, forward, backward)];
  return found.toSorted((a, b) => a.atMs - b.atMs);
}

function isForward({ firstEndMs, lastStartMs }: Cluster): boolean {
  return firstEndMs < lastStartMs;
}

function gather(key: string, writes: readonly RegisterWrite[], reads: readonly RegisterRead[]) {
  const anomalies: Anomaly[] = [];
  const clusters = new Map<string | null, Cluster>();
  const before = Number.NEGATIVE_INFINITY;
  clusters.set(null, {
    value: null,
    outcome: 'acknowledged',
    writeStartMs: before,
    firstEndMs: before,
    lastStartMs: before,
  });
  for (const { value, outcome, startMs, endMs } of writes) {
    const firstEndMs = outcome === 'acknowledged' ? endMs : Number.POSITIVE_INFINITY;
    clusters.set(value, { value, outcome, writeStartMs: startMs, firstEndMs, lastStartMs: startMs });
  }
  const seen = new Set<string | null>();
  for (const { value, startMs, endMs } of reads) {
    const cluster = clusters.get(value);
    const refused = cluster?.outcome === 'failed';
    if (!cluster || refused || endMs < cluster.writeStartMs) {
      anomalies.push({ kind: refused ? 'refused' : 'impossible', key, value, atMs: endMs });
      continue;
    }
    seen.add(value);
    cluster.firstEndMs = Math.min(cluster.firstEndMs, endMs);
    cluster.lastStartMs = Math.max(cluster.lastStartMs, startMs);
  }
  const counted = [...clusters.values()].filter(
    ({ value, outcome }) => outcome === 'acknowledged' || seen.has(value),
  );
  return { clusters: counted, anomalies };
}

/** Two values that the register must both have held at one moment. Each zone is compared with the furthest so far. */
function overlaps(key: string, forward: readonly Cluster[]): Anomaly[] {
  const found: Anomaly[] = [];
  let furthest: Cluster | undefined;
  for (const next of forward) {
    if (furthest && next.firstEndMs < furthest.lastStartMs) found.push(explainPair(key, furthest, next));
    if (!furthest || next.lastStartMs > furthest.lastStartMs) furthest = next;
  }
  return found;
}

function explainPair(key: string, a: Cluster, b: Cluster): Anomaly {
  const [older, newer] = a.writeStartMs <= b.writeStartMs ? [a, b] : [b, a];
  const cameBack = newer.lastStartMs > older.lastStartMs;
  const kind = cameBack ? 'stale' : newer.outcome === 'acknowledged' ? 'lost' : 'undone';
  const atMs = Math.min(older.lastStartMs, newer.lastStartMs);
  return { kind, key, value: newer.value, older: older.value, atMs };
}

/** A value that was written, and perhaps read, while the register must have held another all the time. */
function swallowed(key: string, forward: readonly Cluster[], backward: readonly Cluster[]): Anomaly[] {
  const found: Anomaly[] = [];
  // Forward zones are sorted by their first end; where they overlap, the one that reaches furthest matters.
  const reach: Cluster[] = [];
  for (const zone of forward) {
    const last = reach.at(-1);
    reach.push(last && last.lastStartMs > zone.lastStartMs ? last : zone);
  }
  for (const zone of backward) {
    const container = reach[lastBefore(forward, zone.lastStartMs)];
    if (!container || container.lastStartMs <= zone.firstEndMs) continue;
    const kind = zone.outcome === 'acknowledged' ? 'lost' : 'undone';
    found.push({ kind, key, value: zone.value, older: container.value, atMs: zone.firstEndMs });
  }
  return found;
}

/** The index of the last zone that begins before this moment, or -1. */
function lastBefore(forward: readonly Cluster[], ms: number): number {
  let low = 0;
  let high = forward.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((forward[middle] as Cluster).firstEndMs < ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
