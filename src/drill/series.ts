/** A run as lines of a chart. Pure. */
import type { Mark, Observed } from './finding.ts';

export interface Series {
  /** Seconds from the failure; negative before it. */
  x: number[];
  /** Acknowledged writes a second. */
  throughput: number[];
  /** The longest wait of a client that ended in this slice, ms; null where none did. */
  longestWaitMs: (number | null)[];
  marks: { x: number; label: string }[];
}

const sliceMs = 100;

export function seriesOf({
  ledger,
  struckMs,
  startedMs,
  endedMs,
  marks,
}: Pick<Observed, 'ledger' | 'struckMs' | 'startedMs' | 'endedMs'> & { marks: Mark[] }): Series {
  const count = Math.max(1, Math.ceil((endedMs - startedMs) / sliceMs));
  const throughput = new Array<number>(count).fill(0);
  const longestWaitMs = new Array<number | null>(count).fill(null);
  const at = (ms: number) => Math.min(count - 1, Math.max(0, Math.floor((ms - startedMs) / sliceMs)));
  for (const { outcome, endMs } of ledger.writes) {
    if (outcome === 'acknowledged') throughput[at(endMs)] = (throughput[at(endMs)] ?? 0) + 1000 / sliceMs;
  }
  for (const { endMs, waitMs } of ledger.waits) {
    longestWaitMs[at(endMs)] = Math.max(longestWaitMs[at(endMs)] ?? 0, Math.round(waitMs * 10) / 10);
  }
  const seconds = (ms: number) => Math.round(ms - struckMs) / 1000;
  return {
    x: throughput.map((_, i) => seconds(startedMs + i * sliceMs)),
    throughput,
    longestWaitMs,
    marks: marks.map(({ atMs, label }) => ({ x: seconds(atMs), label })),
  };
}
