/** Which charts there are, made of samples. Pure. */
import { bytes, count, duration } from '../data/format.ts';
import type { MemberColumns, Samples } from '../data/samples.ts';
import type { Chart, Curve } from './time-chart.tsx';

/** The three that say how clients fare. */
export function clientCharts({ deployment }: Samples): Chart[] {
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

export function memberCharts(samples: Samples): Chart[] {
  return [
    {
      title: 'Replication lag',
      curves: perMember(samples, 'lagBytes'),
      write: bytes,
      least: 1024,
      steps: 'binary',
    },
    {
      title: 'Memory',
      curves: perMember(samples, 'memoryBytes'),
      write: bytes,
      least: 1024 * 1024,
      steps: 'binary',
    },
    {
      title: 'Clients',
      curves: [{ label: 'connected', values: samples.deployment.clients }],
      write: count,
      steps: 'whole',
      least: 5,
    },
  ];
}

type Field = keyof MemberColumns;

function perMember({ members }: Samples, field: Field): Curve[] {
  return Object.entries(members).map(([label, columns]) => ({ label, values: columns[field] }));
}

/** The samples of a stretch of time, and one more at each end, so that lines go to the edge. */
export function cutSamples(samples: Samples, fromMs: number, toMs: number): Samples {
  const { at } = samples;
  const first = at.findIndex((each) => each >= fromMs);
  const from = first === -1 ? at.length : Math.max(0, first - 1);
  const last = at.findIndex((each) => each > toMs);
  const to = last === -1 ? at.length : last + 1;
  if (from === 0 && to === at.length) return samples;
  const cutAll = <T extends object>(columns: T): T =>
    Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [name, (values as unknown[]).slice(from, to)]),
    ) as T;
  return {
    ...samples,
    at: at.slice(from, to),
    deployment: cutAll(samples.deployment),
    members: Object.fromEntries(
      Object.entries(samples.members).map(([id, columns]) => [id, cutAll(columns)]),
    ),
  };
}
