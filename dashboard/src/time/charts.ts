/** Which charts there are, made of a history. Pure. */
import type { ApiHistory } from '../../../src/api/history.ts';
import { bytes, count, duration } from '../data/format.ts';
import type { Chart, Curve } from './time-chart.tsx';

/** More lines than that can't be told apart. */
const mostCurves = 5;

/** The three that say how clients fare. */
export function clientCharts({ deployment }: ApiHistory): Chart[] {
  const { commandsPerSecond, p50Ms, p99Ms, held, errorsPerSecond } = deployment;
  return [
    {
      title: 'Throughput',
      curves: [{ label: 'commands/s', values: commandsPerSecond }],
      write: count,
      steps: 'whole',
      least: 10,
    },
    {
      title: 'Latency',
      curves: [
        { label: 'p50', values: p50Ms },
        { label: 'p99', values: p99Ms },
      ],
      write: duration,
      least: 1,
    },
    {
      title: 'Held clients and errors',
      curves: [
        { label: 'held', values: held },
        { label: 'errors/s', values: errorsPerSecond },
      ],
      write: count,
      steps: 'whole',
      least: 5,
    },
  ];
}

export function memberCharts(history: ApiHistory): Chart[] {
  return [
    {
      title: 'Replication lag',
      curves: perMember(history, 'lagBytes'),
      write: bytes,
      least: 1024,
      steps: 'binary',
    },
    {
      title: 'Memory',
      curves: perMember(history, 'memoryBytes'),
      write: bytes,
      least: 1024 * 1024,
      steps: 'binary',
    },
    {
      title: 'Clients',
      curves: [{ label: 'connected', values: history.deployment.clients }],
      write: count,
      steps: 'whole',
      least: 5,
    },
  ];
}

type Field = 'lagBytes' | 'memoryBytes';

function perMember({ members, at }: ApiHistory, field: Field): Curve[] {
  const all = Object.entries(members).map(([label, series]) => ({ label, values: series[field] }));
  if (all.length <= mostCurves) return all;
  const { most, mean } = togetherOf(
    all.map(({ values }) => values),
    at.length,
  );
  return [
    { label: 'most of any member', values: most },
    { label: 'mean', values: mean },
  ];
}

/** In one pass without a list for each sample: it is made anew each second, of fifty members. */
function togetherOf(all: readonly (readonly (number | null)[])[], length: number) {
  const most: (number | null)[] = new Array(length).fill(null);
  const mean: (number | null)[] = new Array(length).fill(null);
  for (let index = 0; index < length; index += 1) {
    let [known, sum, highest] = [0, 0, Number.NEGATIVE_INFINITY];
    for (const values of all) {
      const value = values[index] ?? null;
      if (value === null) continue;
      known += 1;
      sum += value;
      if (value > highest) highest = value;
    }
    if (known === 0) continue;
    most[index] = highest;
    mean[index] = sum / known;
  }
  return { most, mean };
}

/** The samples of a stretch of time, and one more at each end, so that lines go to the edge. */
export function cutHistory(history: ApiHistory, fromMs: number, toMs: number): ApiHistory {
  const { at } = history;
  const first = at.findIndex((each) => each >= fromMs);
  const from = first === -1 ? at.length : Math.max(0, first - 1);
  const last = at.findIndex((each) => each > toMs);
  const to = last === -1 ? at.length : last + 1;
  if (from === 0 && to === at.length) return history;
  const cutAll = <T extends object>(columns: T): T =>
    Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [name, (values as unknown[]).slice(from, to)]),
    ) as T;
  return {
    stepMs: history.stepMs,
    at: at.slice(from, to),
    deployment: cutAll(history.deployment),
    members: Object.fromEntries(
      Object.entries(history.members).map(([id, columns]) => [id, cutAll(columns)]),
    ),
  };
}
