import type { Section } from '../report/page.ts';
import { median, spreadSentence } from './distribution.ts';
import {
  type PersistenceDoor,
  type PersistenceMode,
  type PersistenceReport,
  type PersistenceRun,
  persistenceDoors,
} from './persistence.ts';
import { type BenchResult, pageOf, plural } from './result.ts';

export function persistenceResult(report: PersistenceReport): BenchResult {
  const { options, disk, runs } = report;
  const { rounds, clients, valueBytes, requests } = options;
  return {
    data: { ...report },
    page: pageOf(
      report,
      'Persistence: what keeping data costs',
      [throughput(report), latency(report), bars(report)],
      [
        `Medians of ${plural(rounds, 'round')}; each mode on a fresh deployment of three members, three Sentinels and a gate, one deployment at a time, in turns. redis-benchmark with ${clients} connections, ${valueBytes}-byte values, 100 000 keys, ${requests} requests a test. The replicas keep data in the same mode as the primary, on the same disk.`,
        `Writing 4 KiB and waiting for the disk takes ${disk.syncMs} ms here (median of 100; p99 ${disk.syncP99Ms} ms), in ${disk.folder}${disk.inMemory ? ', which is in memory: persistence costs nothing there, and the modes can hardly differ. TMPDIR names another folder' : ''}. aof-always pays that for every batch of writes, on three members at once.`,
        'replicated: a write is answered when every replica in sync has it in memory. That saves it from the loss of the primary; aof-always saves it from the loss of power at all three.',
        spreadSentence(cellsOf(report)),
        'rdb costs while a copy is being written, and with the default schedule none is within so short a run: no benchmark of seconds shows that. Nor does one show what a disk does whose burst of credits is used up.',
      ],
    ),
    csv: {
      header: ['round', 'persistence', 'door', 'test', 'requests_per_s', 'p50_ms', 'p99_ms', 'max_ms'],
      rows: runs.map((run) => [
        ...[run.round, run.mode, run.door, run.test, run.rps, run.p50Ms, run.p99Ms, run.maxMs],
      ]),
    },
  };
}

function cellsOf({ options, runs }: PersistenceReport): number[][] {
  return options.tests.flatMap((test) =>
    options.modes.flatMap((mode) =>
      persistenceDoors.map((door) => runsIn(runs, { test, mode, door }).map(({ rps }) => rps)),
    ),
  );
}

interface Cell {
  test: string;
  mode: PersistenceMode;
  door: PersistenceDoor;
}

function runsIn(runs: readonly PersistenceRun[], { test, mode, door }: Cell): PersistenceRun[] {
  return runs.filter((run) => run.test === test && run.mode === mode && run.door === door);
}

type Figure = 'rps' | 'p50Ms' | 'p99Ms';

function medianOf(runs: readonly PersistenceRun[], cell: Cell, figure: Figure): number {
  return median(runsIn(runs, cell).map((run) => run[figure]));
}

function throughput({ options, runs }: PersistenceReport): Section {
  return {
    kind: 'table',
    title: 'Requests a second',
    header: ['test', 'persistence', ...persistenceDoors],
    rows: options.tests.flatMap((test) =>
      options.modes.map((mode) => [
        test.toUpperCase(),
        mode,
        ...persistenceDoors.map((door) => Math.round(medianOf(runs, { test, mode, door }, 'rps'))),
      ]),
    ),
  };
}

function latency({ options, runs }: PersistenceReport): Section {
  return {
    kind: 'table',
    title: 'Latency in ms, p50 / p99',
    header: ['test', 'persistence', ...persistenceDoors],
    rows: options.tests.flatMap((test) =>
      options.modes.map((mode) => [
        test.toUpperCase(),
        mode,
        ...persistenceDoors.map((door) => {
          const of = (figure: Figure) => medianOf(runs, { test, mode, door }, figure).toFixed(2);
          return `${of('p50Ms')} / ${of('p99Ms')}`;
        }),
      ]),
    ),
  };
}

function bars({ options, runs }: PersistenceReport): Section {
  return {
    kind: 'bars',
    title: 'Requests a second, beside each other',
    unit: 'requests/s',
    groups: options.tests.map((test) => ({
      label: test.toUpperCase(),
      bars: options.modes.flatMap((mode) =>
        persistenceDoors.map((door) => ({
          label: `${mode}, ${door}`,
          value: Math.round(medianOf(runs, { test, mode, door }, 'rps')),
        })),
      ),
    })),
  };
}
