import type { Section } from '../report/page.ts';
import { median, spreadSentence } from './distribution.ts';
import type { DoorRun, DoorsReport } from './doors.ts';
import { type BenchResult, pageOf, plural } from './result.ts';

/** Medians of one door in one test. */
export interface DoorCell {
  door: string;
  test: string;
  pipeline: number;
  rps: number;
  lowestRps: number;
  highestRps: number;
  p50Ms: number;
  p99Ms: number;
  cpuMicros: number | null;
  /** The gate's throughput divided by this door's: the median over the rounds, each door against its own turn. */
  gateRatio: number | null;
  /** This door's throughput divided by the server's, in the same way. */
  directRatio: number | null;
}

export function doorsResult(report: DoorsReport): BenchResult {
  const cells = doorCells(report);
  const sections: Section[] = report.options.pipelines.map((pipeline) => table(cells, pipeline));
  const bars: Section[] = report.options.pipelines.map((pipeline) => barsOf(report, cells, pipeline));
  const { rounds, clients, valueBytes, durability } = report.options;
  const notes = [
    `Medians of ${plural(rounds, 'round')} after one that was not counted; in each round every door had its turn, and who began changed. ${clients} connections, ${valueBytes}-byte values, one thread for each door, one server without persistence${durability === 'replicated' ? ' and two replicas of it; AOF always is a server of its own, without replicas, that answers a write when it is on disk' : ''}.`,
    'redis-benchmark, the door and the server share the cores of this machine, so a door that uses less processor leaves more for the others: with few cores that is part of what is measured. Clients, door and server on machines of their own, with a network in between, will show other ratios.',
    spreadSentence(cells.map((cell) => runsOf(report, cell).map(({ rps }) => rps))),
    ...report.failures.map(
      ({ door, test, pipeline, reason }) => `${door} could not do ${test} (-P ${pipeline}): ${reason}`,
    ),
  ];
  return {
    data: { ...report, cells },
    page: pageOf(report, 'Doors: direct, gate, HAProxy, twemproxy', [...sections, ...bars], notes),
    csv: {
      header: [
        'test',
        'pipeline',
        'round',
        'door',
        'requests_per_s',
        'p50_ms',
        'p99_ms',
        'max_ms',
        'door_cpu_us',
      ],
      rows: report.runs.map((run) => [
        ...[run.test, run.pipeline, run.round, run.door, run.rps, run.p50Ms, run.p99Ms, run.maxMs],
        run.cpuMicros === null ? '' : Math.round(run.cpuMicros * 100) / 100,
      ]),
    },
  };
}

export function doorCells({
  runs,
  doors,
  options,
}: Pick<DoorsReport, 'runs' | 'doors' | 'options'>): DoorCell[] {
  return options.pipelines.flatMap((pipeline) =>
    options.tests.flatMap((test) => {
      const those = runs.filter((run) => run.pipeline === pipeline && run.test === test);
      return doors.flatMap((door) => {
        const own = those.filter((run) => run.door === door);
        return own.length === 0 ? [] : [cellOf(own, those)];
      });
    }),
  );
}

function runsOf({ runs }: DoorsReport, { door, test, pipeline }: DoorCell): DoorRun[] {
  return runs.filter((run) => run.door === door && run.test === test && run.pipeline === pipeline);
}

function cellOf(own: DoorRun[], all: DoorRun[]): DoorCell {
  const { door, test, pipeline } = own[0] as DoorRun;
  const of = (key: 'rps' | 'p50Ms' | 'p99Ms') => own.map((run) => run[key]);
  const beside = (other: string) =>
    own.flatMap((run) => {
      const its = all.find((each) => each.door === other && each.round === run.round);
      return its && other !== door ? [{ rps: run.rps, other: its.rps }] : [];
    });
  const ratioOf = (ratios: number[]) => (ratios.length === 0 ? null : Math.round(median(ratios) * 100) / 100);
  const cpu = own.flatMap(({ cpuMicros }) => (cpuMicros === null ? [] : [cpuMicros]));
  return {
    door,
    test,
    pipeline,
    rps: Math.round(median(of('rps'))),
    lowestRps: Math.round(Math.min(...of('rps'))),
    highestRps: Math.round(Math.max(...of('rps'))),
    p50Ms: median(of('p50Ms')),
    p99Ms: median(of('p99Ms')),
    cpuMicros: cpu.length === 0 ? null : Math.round(median(cpu) * 10) / 10,
    gateRatio: ratioOf(beside('gate').map(({ rps, other }) => other / rps)),
    directRatio: ratioOf(beside('direct').map(({ rps, other }) => rps / other)),
  };
}

function titleOf(pipeline: number): string {
  return pipeline === 1 ? 'One request at a time (-P 1)' : `${pipeline} requests at a time (-P ${pipeline})`;
}

function table(cells: DoorCell[], pipeline: number): Section {
  const those = cells.filter((cell) => cell.pipeline === pipeline);
  return {
    kind: 'table',
    title: titleOf(pipeline),
    header: [
      'test',
      'door',
      'requests/s',
      'lowest',
      'highest',
      'p50 ms',
      'p99 ms',
      'of direct',
      'gate ÷ this',
      'door CPU µs',
    ],
    rows: those.map((cell) => [
      cell.test.toUpperCase(),
      ...[cell.door, cell.rps, cell.lowestRps, cell.highestRps],
      ...[cell.p50Ms, cell.p99Ms, cell.directRatio ?? '', cell.gateRatio ?? '', cell.cpuMicros ?? ''],
    ]),
    note: 'lowest and highest: of the rounds. of direct: this divided by the server asked directly. gate ÷ this: above 1, the gate is faster. door CPU: processor time of the door for each request.',
  };
}

function barsOf({ options }: DoorsReport, cells: DoorCell[], pipeline: number): Section {
  return {
    kind: 'bars',
    title: `Requests a second, -P ${pipeline}`,
    unit: 'requests/s',
    groups: options.tests.map((test) => ({
      label: test.toUpperCase(),
      bars: cells
        .filter((cell) => cell.pipeline === pipeline && cell.test === test)
        .map(({ door, rps, gateRatio }) => ({
          label: door,
          value: rps,
          ...(gateRatio === null ? {} : { remark: `gate ${gateRatio.toFixed(2)}×` }),
        })),
    })),
  };
}
