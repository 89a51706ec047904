/** What one run of a drill found. Pure: made of the ledger, of what the servers hold, and of their logs. */
import { dictionary } from '../base/dictionary.ts';
import { type Account, account } from './account.ts';
import type { Holdings, Ledger, Read, Write } from './ledger.ts';
import { type Anomaly, checkRegister } from './linearizable.ts';
import type { TimelineEntry } from './timeline.ts';

export interface Mark {
  atMs: number;
  label: string;
}

/** What a run saw, before anything is concluded from it. Times are on the drill's clock unless said otherwise. */
export interface Observed {
  ledger: Ledger;
  startedMs: number;
  /** When the failure was made. */
  struckMs: number;
  endedMs: number;
  /** What the primary held at the end, and each member's differences to it. */
  holdings: Holdings;
  differing: { member: string; keys: string[] }[];
  marks: Mark[];
  timeline: TimelineEntry[];
  /** Clients at these listeners were cut off from the majority. */
  cutOff: CutOff | null;
  /** How long it took until everyone was back in place; null when that never came. */
  healedMs: number | null;
  /** What `performance.timeOrigin` was: wall clock = drill's clock + this. */
  originMs: number;
}

export interface CutOff {
  listeners: ReadonlySet<string>;
  fromMs: number;
  /** When the network was whole again. */
  untilMs: number;
  /** When everyone was back in place: from then on these listeners are like the others. */
  trustedMs: number;
}

export interface Finding {
  account: Account;
  /** Acknowledged writes that are gone: those of the account, and registers that went back to an older value. */
  lost: number;
  anomalies: Record<Anomaly['kind'], number>;
  /** One of each kind, as evidence. */
  examples: Anomaly[];
  differing: { member: string; keys: string[] }[];
  reads: number;
  /** By their first word, of writes and of reads; not those of clients that were cut off. */
  errors: Record<string, number>;
  readErrors: Record<string, number>;
  droppedConnections: number;
  /** Of any client that was not cut off: from wanting to write to having it acknowledged, retries included. */
  longestWaitMs: number;
  /** RTO as found: the longest time after the failure in which nobody's write was acknowledged. */
  outageMs: number;
  /** RPO as found: the time over which acknowledged writes were lost, up to the failure at least; 0 for none. */
  lossWindowMs: number;
  promotions: { member: string; afterMs: number }[];
  healedMs: number | null;
  cutOff: CutOffFinding | null;
  /** From the failure on, in ms. */
  steps: { afterMs: number; source: string; kind: string; text: string }[];
}

export interface CutOffFinding {
  acknowledged: number;
  lost: number;
  errors: Record<string, number>;
  /** How long after it was cut off the last write was acknowledged there; null when none was. */
  lastAcknowledgedAfterMs: number | null;
  /** Reads there that had been overtaken. */
  staleReads: number;
}

export function conclude(seen: Observed): Finding {
  const { ledger, struckMs, cutOff } = seen;
  const isCutOff = ({ listener, endMs }: { listener: string; endMs: number }) =>
    cutOff?.listeners.has(listener) === true && endMs >= cutOff.fromMs && endMs < cutOff.trustedMs;
  const all = account(ledger.writes, seen.holdings);
  const trusted = tellLossFromStaleness(
    seen,
    all,
    findAnomalies(ledger, (read) => !isCutOff(read)),
  );
  const timed = seen.timeline.map((entry) => ({ ...entry, afterMs: entry.atMs - seen.originMs - struckMs }));
  const gone = [...all.lost, ...trusted.filter(({ kind }) => kind === 'lost')];
  return {
    account: all,
    lost: new Set(gone.map(({ key, value }) => `${key} ${value}`)).size,
    anomalies: countKinds(trusted),
    examples: trusted.filter((each, i) => trusted.findIndex(({ kind }) => kind === each.kind) === i),
    differing: seen.differing,
    reads: ledger.reads.length,
    errors: countErrors(ledger.writes.filter((write) => !isCutOff(write))),
    readErrors: countErrors(ledger.readErrors.filter((read) => !isCutOff(read))),
    droppedConnections: ledger.drops.filter(({ listener, atMs }) => !isCutOff({ listener, endMs: atMs }))
      .length,
    longestWaitMs: ledger.waits
      .filter((wait) => wait.endMs >= struckMs && !isCutOff(wait))
      .reduce((longest, { waitMs }) => Math.max(longest, waitMs), 0),
    outageMs: longestGap(seen, (write) => !isCutOff(write)),
    lossWindowMs: lossWindow(
      all.lost.map(({ acknowledgedMs }) => acknowledgedMs),
      struckMs,
    ),
    promotions: timed
      .filter(
        ({ kind, source, afterMs }) => kind === 'promoted' && !source.startsWith('agent') && afterMs > -1,
      )
      .map(({ source, afterMs }) => ({ member: source, afterMs })),
    healedMs: seen.healedMs,
    cutOff: cutOff && concludeCutOff(seen, all, isCutOff, trusted.length),
    steps: timed
      .filter(({ afterMs }) => afterMs > -1000)
      .map(({ afterMs, source, kind, text }) => ({ afterMs, source, kind, text })),
  };
}

/** How long before the failure a write may have been acknowledged that is lost by it, and after it. */
const lossBeforeMs = 2000;
const lossAfterMs = 200;

/**
 * A register that goes back to an older value has lost a write, or was read from somewhere stale. What was acknowledged
 * near the failure, where writes are lost, may be lost; elsewhere nothing is, so that the read was stale.
 */
function tellLossFromStaleness(
  { ledger, struckMs, cutOff }: Observed,
  { lost }: Account,
  anomalies: Anomaly[],
): Anomaly[] {
  const untilMs = lost.reduce(
    (latest, { acknowledgedMs }) => Math.max(latest, acknowledgedMs),
    Math.max(struckMs, cutOff?.untilMs ?? 0),
  );
  const acknowledgedMs = new Map(
    ledger.writes.flatMap(({ key, value, endMs, kind }) =>
      kind === 'string' || kind === 'register' ? [[`${key} ${value}`, endMs] as const] : [],
    ),
  );
  return anomalies.map((anomaly) => {
    const ms = acknowledgedMs.get(`${anomaly.key} ${anomaly.value}`) ?? Number.NaN;
    const maybeLost = ms > struckMs - lossBeforeMs && ms < untilMs + lossAfterMs;
    return anomaly.kind === 'lost' && !maybeLost ? { ...anomaly, kind: 'stale' } : anomaly;
  });
}

/** Every string and register; reads at replicas are held only to values that somebody wrote by then. */
function findAnomalies(ledger: Ledger, counts: (read: Read) => boolean): Anomaly[] {
  const writes = groupByKey(ledger.writes.filter(({ kind }) => kind === 'string' || kind === 'register'));
  const reads = groupByKey(ledger.reads);
  const found: Anomaly[] = [];
  for (const [key, list] of writes) {
    const asked = reads.get(key) ?? [];
    const spans = list.map(({ value, outcome, sentMs, endMs }) => ({
      value,
      outcome,
      startMs: sentMs,
      endMs,
    }));
    const span = ({ value, sentMs, endMs }: Read) => ({ value, startMs: sentMs, endMs });
    const atPrimary = asked.filter((read) => read.from === 'primary' && counts(read)).map(span);
    found.push(...checkRegister(key, spans, atPrimary));
    const known = new Map(list.map((write) => [write.value, write]));
    for (const read of asked.filter(({ from, value }) => from === 'replica' && value !== null)) {
      const write = known.get(read.value as string);
      const kind = write?.outcome === 'failed' ? 'refused' : 'impossible';
      if (write && write.outcome !== 'failed' && write.sentMs <= read.endMs) continue;
      found.push({ kind, key, value: read.value, atMs: read.endMs });
    }
  }
  return found;
}

function countErrors(list: readonly { error?: string }[]): Record<string, number> {
  const counts = dictionary<number>();
  for (const { error } of list) if (error !== undefined) counts[error] = (counts[error] ?? 0) + 1;
  return counts;
}

function lossWindow(lostMs: readonly number[], struckMs: number): number {
  if (lostMs.length === 0) return 0;
  const last = lostMs.reduce((a, b) => Math.max(a, b), struckMs);
  return last - lostMs.reduce((a, b) => Math.min(a, b), struckMs);
}

function groupByKey<T extends { key: string }>(list: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of list) {
    const group = groups.get(each.key);
    if (group) group.push(each);
    else groups.set(each.key, [each]);
  }
  return groups;
}

function countKinds(anomalies: readonly Anomaly[]): Finding['anomalies'] {
  const counts = { lost: 0, undone: 0, stale: 0, refused: 0, impossible: 0 };
  for (const { kind } of anomalies) counts[kind] += 1;
  return counts;
}

function longestGap({ ledger, struckMs, endedMs }: Observed, counts: (write: Write) => boolean): number {
  const acks = ledger.writes.filter((write) => write.outcome === 'acknowledged' && counts(write));
  const times = acks.map(({ endMs }) => endMs).toSorted((a, b) => a - b);
  let longest = 0;
  let last = times.findLast((ms) => ms <= struckMs) ?? struckMs;
  for (const ms of [...times.filter((each) => each > struckMs), endedMs]) {
    longest = Math.max(longest, ms - last);
    last = ms;
  }
  return longest;
}

function concludeCutOff(
  { ledger, cutOff }: Observed,
  all: Account,
  isCutOff: (event: { listener: string; endMs: number }) => boolean,
  elsewhere: number,
): CutOffFinding {
  const { fromMs, untilMs, listeners } = cutOff as CutOff;
  const acks = ledger.writes.filter(
    (write) => write.outcome === 'acknowledged' && isCutOff(write) && write.endMs < untilMs,
  );
  const last = acks.reduce((latest, { endMs }) => Math.max(latest, endMs), fromMs);
  const isLostThere = ({ listener, acknowledgedMs }: Account['lost'][number]) =>
    listeners.has(listener) && acknowledgedMs >= fromMs;
  return {
    acknowledged: acks.length,
    lost: all.lost.filter(isLostThere).length,
    errors: countErrors([...ledger.writes, ...ledger.readErrors].filter(isCutOff)),
    lastAcknowledgedAfterMs: acks.length === 0 ? null : last - fromMs,
    staleReads: findAnomalies(ledger, () => true).length - elsewhere,
  };
}
