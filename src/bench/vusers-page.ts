import type { Section } from '../report/page.ts';
import { errorWords } from './distribution.ts';
import { type BenchResult, pageOf, plural } from './result.ts';
import { type VuserDoor, type VusersReport, vuserDoors } from './vusers.ts';

const names: Record<VuserDoor, string> = { gate: 'gate', direct: 'direct' };

export function vusersResult(report: VusersReport): BenchResult {
  const { options, steps, runs, threads } = report;
  const { thinkMs, rounds, readShare, valueBytes, durability, persistence } = options;
  const reads = Math.round(readShare * 100);
  const notes = [
    `Each user has a connection of its own, sends one request (${reads}% GET, ${100 - reads}% SET, ${valueBytes}-byte values), waits for the answer, and thinks for ${thinkMs} ms on average, exponentially distributed. Medians of ${plural(rounds, 'round')}; gate and primary in turns, on the same deployment of three members (persistence ${persistence}, durability ${durability}).`,
    `The users live in ${plural(threads, 'thread')} of the process that measures, on the same machine as everything else. generator busy: the share of its thread's time that was work; sent late: how much later than wanted a request went out (p99). Where these are high, the figures are those of the generator.`,
    'The knee: the first step that answers less than 90% of what the users would ask for, or fails more than 0.1%, or whose p99 is above 10 ms and above five times the lowest of the steps before it.',
  ];
  return {
    data: { ...report },
    page: pageOf(report, 'Virtual users', sections(report), notes),
    csv: {
      header: [
        ...['round', 'users', 'door', 'requests_per_s', 'p50_ms', 'p95_ms', 'p99_ms', 'max_ms'],
        ...['errors', 'dropped', 'generator_busy', 'sent_late_p99_ms'],
      ],
      rows: runs.map((run) => [
        ...[run.round, run.users, run.door, run.rps, run.p50Ms, run.p95Ms, run.p99Ms, run.maxMs],
        ...[errorWords(run.errors), run.dropped, run.utilization, run.lagP99Ms],
      ]),
    },
  };

  function sections({ knees }: VusersReport): Section[] {
    return [
      {
        kind: 'table',
        title: 'Each step',
        header: [
          ...['users', 'door', 'wanted/s', 'requests/s', 'errors', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
          ...['generator busy', 'sent late ms'],
        ],
        rows: steps.map((step) => [
          ...[step.users, names[step.door], step.offeredRps, step.rps, errorWords(step.errors)],
          ...[step.p50Ms, step.p95Ms, step.p99Ms, step.maxMs],
          ...[`${Math.round(step.utilization * 100)}%`, step.lagP99Ms],
        ]),
      },
      {
        kind: 'table',
        title: 'The knee',
        header: ['door', 'served well up to', 'no longer at', 'why'],
        rows: vuserDoors.map((door) => {
          const { lastGoodUsers, users, reason } = knees[door];
          return [names[door], lastGoodUsers ?? '–', users ?? '–', reason];
        }),
      },
      chart('Throughput', 'requests/s', (step) => step.rps, report),
      chart('Latency, p99', 'ms', (step) => step.p99Ms, report),
    ];
  }
}

function chart(
  title: string,
  unit: string,
  figure: (step: VusersReport['steps'][number]) => number,
  { steps, options }: VusersReport,
): Section {
  return {
    kind: 'chart',
    title,
    xLabel: 'users',
    x: options.ramp,
    series: vuserDoors.map((door) => ({
      label: names[door],
      unit,
      values: steps.filter((step) => step.door === door).map(figure),
    })),
  };
}
