/**
 * What each way to keep data costs an application: the one of `examples/departments` on MariaDB, and with what it reads
 * and writes kept in Redis behind a gate. Each store on a fresh deployment, one at a time; MariaDB runs all the while, as
 * the application fills what it keeps from it. Then the store is killed while users go on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { TestbedSettings } from '../../testbed/testbed.ts';
import { killPrimary } from '../candidate.ts';
import { type Disk, measureDisk } from '../disk.ts';
import { LoadGenerator, type LoadResult, threadsFor } from '../load/generator.ts';
import type { HttpPlan } from '../load/http-wire.ts';
import { checkOpenFiles } from '../open-files.ts';
import { listenerOf, withTestbed } from '../own-testbed.ts';
import { type Recovery, recoveryOf } from '../recovery.ts';
import { type BenchContext, type BenchHead, headOf } from '../result.ts';
import { Scratch } from '../scratch.ts';
import { inTurn } from '../turns.ts';
import { checkLibraries, type RunningApp, schemaFile, startApp, tryOnce } from './departments.ts';
import { type Maria, startMaria } from './maria-server.ts';

export const appStores = ['mariadb', 'redis', 'aof-everysec', 'aof-always', 'replicated'] as const;
export type AppStore = (typeof appStores)[number];

/** MariaDB, or a deployment of three members with these settings. */
const settingsOf: Record<
  Exclude<AppStore, 'mariadb'>,
  Pick<TestbedSettings, 'durability' | 'persistence'>
> = {
  redis: { durability: 'async', persistence: 'none' },
  'aof-everysec': { durability: 'async', persistence: 'aof-everysec' },
  'aof-always': { durability: 'async', persistence: 'aof-always' },
  replicated: { durability: 'replicated', persistence: 'aof-everysec' },
};

export interface AppRequest {
  method: 'GET' | 'POST';
  rows: number;
}

export interface AppOptions {
  stores: AppStore[];
  users: number[];
  /** How many rows are asked for, one step each. */
  rows: number[];
  thinkMs: number;
  stepMs: number;
  rounds: number;
  kill: boolean;
}

export interface AppRun {
  store: AppStore;
  request: AppRequest;
  users: number;
  round: number;
  /** Requests answered a second, errors not counted. */
  tps: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  errors: Record<string, number>;
  errorShare: number;
  dropped: number;
  /** Share of the time of the generator's busiest thread that was work. */
  generatorBusy: number;
}

export interface AppKill extends Recovery {
  store: AppStore;
  round: number;
  users: number;
  errors: Record<string, number>;
}

export interface AppReport extends BenchHead {
  options: AppOptions;
  disk: Disk;
  mariadb: string;
  threads: number;
  runs: AppRun[];
  kills: AppKill[];
}

const mostWarmUpMs = 2000;
const bucketMs = 10;
/** Slices by which a recovery is measured are half a second long. */
const leastBeforeMs = 1000;
const leastAfterMs = 1500;
const afterMs = 10_000;

export async function benchApp(options: AppOptions, context: BenchContext): Promise<AppReport> {
  const head = headOf('app', context);
  checkLibraries();
  checkOpenFiles(Math.max(...options.users));
  const scratch = await Scratch.create();
  try {
    const maria = await startMaria(scratch, schemaFile);
    const disk = await measureDisk();
    const report: AppReport = {
      ...{ ...head, options, disk, mariadb: maria.version, threads: threadsFor(), runs: [], kills: [] },
    };
    for (let round = 1; round <= options.rounds; round++) {
      for (const store of inTurn(options.stores, round - 1)) {
        context.signal.throwIfAborted();
        await measureStore({ scratch, maria, store, round }, report, context);
      }
    }
    return report;
  } finally {
    await scratch.close();
  }
}

interface Turn {
  scratch: Scratch;
  maria: Maria;
  store: AppStore;
  round: number;
}

async function measureStore(turn: Turn, report: AppReport, context: BenchContext): Promise<void> {
  const { scratch, maria, store, round } = turn;
  const name = `app-${store}-${round}`;
  if (store === 'mariadb') {
    const app = await startApp(scratch, name, maria, null);
    await measureApp(turn, app, () => maria.killAndRestart(), report, context);
    return;
  }
  await withTestbed(settingsOf[store], async ({ testbed }) => {
    const app = await startApp(scratch, name, maria, await listenerOf(testbed));
    await measureApp(turn, app, () => killPrimary(testbed), report, context);
  });
}

async function measureApp(
  { scratch, store, round }: Turn,
  app: RunningApp,
  kill: () => Promise<void>,
  report: AppReport,
  context: BenchContext,
): Promise<void> {
  const { options } = report;
  const requests: AppRequest[] = [
    ...options.rows.map((rows) => ({ method: 'GET' as const, rows })),
    { method: 'POST', rows: 1 },
  ];
  try {
    for (const request of requests) {
      const { readPath, writePath, body } = planOf(app, request.rows, 0, 0);
      const isRead = request.method === 'GET';
      for (const users of options.users) {
        // Answered behind all that the users of the step before asked for: theirs is no burden of this one.
        await tryOnce(app, { path: isRead ? readPath : writePath, body: isRead ? null : body });
        const figures = figuresOf(await oneStep(app, request, users, options, context.signal));
        report.runs.push({ store, request, users, round, ...figures });
        context.report(
          `round ${round} of ${options.rounds}, ${store}, ${request.method} of ${request.rows}, ${users} users: ${figures.tps} requests/s, p99 ${figures.p99Ms} ms`,
        );
      }
    }
    if (!options.kill) return;
    const users = options.users[0] as number;
    await tryOnce(app, { path: planOf(app, 10, 0, 0).readPath, body: null });
    const killed = await killUnder(app, kill, users, options, context.signal);
    report.kills.push({ store, round, users, ...killed });
    context.report(`${store}, killed: ${killed.writeGapMs} ms without a write`);
  } finally {
    await scratch.end(app.child);
  }
}

function planOf({ host, port }: RunningApp, rows: number, thinkMs: number, readShare: number) {
  const plan: HttpPlan = {
    ...{ protocol: 'http', host, port },
    ...{ readPath: `/departments?rows=${rows}`, writePath: '/departments' },
    body: JSON.stringify({ dept_name: 'a department of the benchmark' }),
  };
  return { ...plan, thinkMs, readShare, bucketMs };
}

async function oneStep(
  app: RunningApp,
  { method, rows }: AppRequest,
  users: number,
  { thinkMs, stepMs }: AppOptions,
  signal: AbortSignal,
): Promise<LoadResult> {
  const plan = planOf(app, rows, thinkMs, method === 'GET' ? 1 : 0);
  const generator = await LoadGenerator.start({ ...plan, users }, signal);
  try {
    await delay(Math.min(mostWarmUpMs, stepMs), undefined, { signal });
    generator.mark();
    await delay(stepMs, undefined, { signal });
    return await generator.stop();
  } finally {
    await generator.end();
  }
}

/** Half of the requests read ten rows, half write. */
async function killUnder(
  app: RunningApp,
  kill: () => Promise<void>,
  users: number,
  { thinkMs, stepMs }: AppOptions,
  signal: AbortSignal,
): Promise<Omit<AppKill, 'store' | 'round' | 'users'>> {
  const plan = planOf(app, 10, thinkMs, 0.5);
  const generator = await LoadGenerator.start({ ...plan, users }, signal);
  try {
    await delay(Math.min(mostWarmUpMs, stepMs), undefined, { signal });
    generator.mark();
    const markedMs = performance.now();
    await delay(Math.max(leastBeforeMs, stepMs / 2), undefined, { signal });
    const killMs = performance.now() - markedMs;
    await kill();
    await delay(Math.min(afterMs, Math.max(leastAfterMs, stepMs)), undefined, { signal });
    const result = await generator.stop();
    return { ...recoveryOf(result.buckets, bucketMs, killMs), errors: result.errors };
  } finally {
    await generator.end();
  }
}

function figuresOf(result: LoadResult): Omit<AppRun, 'store' | 'request' | 'users' | 'round'> {
  const { latency, errors, dropped, utilization, seconds } = result;
  const ms = (share: number) => Math.round(latency.percentile(share) / 10) / 100;
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
  return {
    ...{ tps: Math.round(latency.count / seconds), p50Ms: ms(50), p95Ms: ms(95), p99Ms: ms(99) },
    ...{ errors, dropped },
    errorShare: failed === 0 ? 0 : failed / (failed + latency.count),
    generatorBusy: Math.round(utilization * 100) / 100,
  };
}
