import type { Section, TableSection } from '../../report/page.ts';
import { errorWords, median, spreadSentence, sumErrors } from '../distribution.ts';
import { type BenchResult, pageOf, plural } from '../result.ts';
import type { AppReport, AppRequest, AppRun, AppStore } from './app.ts';
import { noteFigure, noteOnKills } from './note-figures.ts';

const names: Record<AppStore, string> = {
  mariadb: 'MariaDB',
  redis: 'Redis, nothing on disk',
  'aof-everysec': 'Redis, AOF everysec',
  'aof-always': 'Redis, AOF always',
  replicated: 'Redis, replicated',
};

export function appResult(report: AppReport): BenchResult {
  const { options, runs, disk, mariadb, threads } = report;
  const requests = requestsOf(report);
  const pause =
    options.thinkMs === 0
      ? 'without a pause, as the note did'
      : `and thinks for ${options.thinkMs} ms on average`;
  return {
    data: { ...report },
    page: pageOf(
      report,
      'An application on MariaDB, and with Redis before it',
      [
        ...requests.map((request) => table(request, report)),
        ...requests.map((request) => bars(request, report)),
        ...(report.kills.length > 0 ? [kills(report)] : []),
      ],
      [
        `The application of examples/departments, one process: Fastify, MariaDB ${mariadb} with its defaults, and a deployment of three members, three Sentinels and a gate for each store, one after the other. Each user has a connection of its own to the application, sends one request, waits for its answer, ${pause}; ${plural(options.rounds, 'round')}, ${options.stepMs} ms a step.`,
        'GET of so many rows: from MariaDB, or the same text from Redis. POST of one: an INSERT, or a SET. Redis, replicated: AOF everysec, and a write is answered when every replica in sync has it.',
        `the note: the same table, requests and numbers of users on other machines, by Spring Boot and nGrinder, with a single Redis. Compare what it says of the stores with each other, not its figures with ours. ${noteOnKills}`,
        `Writing 4 KiB and waiting for the disk takes ${disk.syncMs} ms here (median of 100), in ${disk.folder}${disk.inMemory ? ', which is in memory: what waits for the disk waits for nothing there' : ''}.`,
        `Users (${plural(threads, 'thread')}), application, gate, servers and database share this machine: generator busy is the share of the users' thread's time that was work. With no pause the throughput is that of whatever has no processor left, mostly the application.`,
        'Killed: half of the requests read ten rows, half write. Of Redis the primary is killed with SIGKILL; MariaDB likewise, and started anew at once, as a supervisor would.',
        spreadSentence(cellsOf(report)),
      ],
    ),
    csv: {
      header: [
        ...['round', 'store', 'request', 'rows', 'users', 'tps', 'p50_ms', 'p95_ms', 'p99_ms'],
        ...['errors', 'error_share', 'dropped', 'generator_busy', 'note_tps'],
      ],
      rows: runs.map((run) => [
        ...[run.round, run.store, run.request.method, run.request.rows, run.users, run.tps],
        ...[run.p50Ms, run.p95Ms, run.p99Ms, errorWords(run.errors), run.errorShare, run.dropped],
        ...[run.generatorBusy, noteFigure(run.request, run.users, run.store) ?? ''],
      ]),
    },
  };
}

function requestsOf({ options }: AppReport): AppRequest[] {
  return [
    ...options.rows.map((rows) => ({ method: 'GET' as const, rows })),
    { method: 'POST' as const, rows: 1 },
  ];
}

function titleOf({ method, rows }: AppRequest): string {
  return `${method} of ${plural(rows, 'row')}`;
}

function runsIn({ runs }: AppReport, request: AppRequest, users: number, store: AppStore): AppRun[] {
  return runs.filter(
    (run) =>
      run.request.method === request.method &&
      run.request.rows === request.rows &&
      run.users === users &&
      run.store === store,
  );
}

function cellsOf(report: AppReport): number[][] {
  const { users, stores } = report.options;
  return requestsOf(report).flatMap((request) =>
    users.flatMap((count) =>
      stores.map((store) => runsIn(report, request, count, store).map(({ tps }) => tps)),
    ),
  );
}

function table(request: AppRequest, report: AppReport): TableSection {
  const { users, stores } = report.options;
  return {
    kind: 'table',
    title: titleOf(request),
    header: [
      ...['users', 'store', 'requests/s', 'the note', 'errors', 'p50 ms', 'p95 ms', 'p99 ms'],
      'generator busy',
    ],
    rows: users.flatMap((count) =>
      stores.map((store) => {
        const those = runsIn(report, request, count, store);
        const of = (key: 'tps' | 'p50Ms' | 'p95Ms' | 'p99Ms' | 'errorShare' | 'generatorBusy') =>
          median(those.map((run) => run[key]));
        return [
          ...[count, names[store], Math.round(of('tps')), noteFigure(request, count, store) ?? '–'],
          errorsText(those, of('errorShare')),
          ...[of('p50Ms'), of('p95Ms'), of('p99Ms'), `${Math.round(of('generatorBusy') * 100)}%`],
        ];
      }),
    ),
  };
}

function errorsText(runs: readonly AppRun[], share: number): string {
  const words = errorWords(sumErrors(runs));
  return words === 'none' ? words : `${(share * 100).toFixed(1)}%: ${words}`;
}

function bars(request: AppRequest, report: AppReport): Section {
  const { users, stores } = report.options;
  return {
    kind: 'bars',
    title: `${titleOf(request)}, beside the note`,
    unit: 'requests/s',
    groups: users.map((count) => ({
      label: `${count} users`,
      bars: stores.flatMap((store) => {
        const value = Math.round(median(runsIn(report, request, count, store).map(({ tps }) => tps)));
        const note = noteFigure(request, count, store);
        return [
          { label: names[store], value },
          ...(note === null ? [] : [{ label: `the note: ${names[store]}`, value: note }]),
        ];
      }),
    })),
  };
}

function kills({ kills, options }: AppReport): Section {
  return {
    kind: 'table',
    title: 'Killed in the middle',
    header: [
      ...['store', 'kills', 'users', 'usual/s', 'without a write ms', 'longest wait ms'],
      ...['back to 90% ms', 'errors'],
    ],
    rows: options.stores.flatMap((store) => {
      const those = kills.filter((each) => each.store === store);
      if (those.length === 0) return [];
      const of = (key: 'usualRps' | 'writeGapMs' | 'longestWaitMs') =>
        Math.round(median(those.map((each) => each[key])));
      const recovered = those.flatMap(({ recoveredMs }) => recoveredMs ?? []);
      const never = those.length - recovered.length;
      const back = never > 0 ? `not in ${never} of ${those.length}` : Math.round(median(recovered));
      return [
        [
          ...[names[store], those.length, those[0]?.users ?? 0, of('usualRps'), of('writeGapMs')],
          ...[of('longestWaitMs'), back, errorWords(sumErrors(those))],
        ],
      ];
    }),
  };
}
