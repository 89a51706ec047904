/**
 * Virtual users with think time, more of them with each step: throughput, errors and latency through the gate, and
 * beside it, in turn, with the primary directly.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { dictionary } from '../base/dictionary.ts';
import type { TestbedSettings } from '../testbed/testbed.ts';
import { median } from './distribution.ts';
import { findKnee, type Knee } from './knee.ts';
import { LoadGenerator, type LoadResult, threadsFor } from './load/generator.ts';
import { checkOpenFiles } from './open-files.ts';
import { type OwnTestbed, withTestbed } from './own-testbed.ts';
import { type BenchContext, type BenchHead, headOf } from './result.ts';
import { inTurn } from './turns.ts';

export interface VusersOptions extends Pick<TestbedSettings, 'durability' | 'persistence'> {
  ramp: number[];
  thinkMs: number;
  /** How long each step is measured, after it has warmed up. */
  stepMs: number;
  rounds: number;
  /** Share of GET; the rest are SET. */
  readShare: number;
  valueBytes: number;
}

export const vuserDoors = ['gate', 'direct'] as const;
export type VuserDoor = (typeof vuserDoors)[number];

export interface VuserRun {
  door: VuserDoor;
  users: number;
  round: number;
  /** Requests answered a second, errors not counted. */
  rps: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
  errors: Record<string, number>;
  dropped: number;
  /** The generator itself: its own delay in sending, and the share of its busiest thread's time that was work. */
  lagP99Ms: number;
  utilization: number;
}

/** Medians of the rounds. */
export interface VuserStep extends Omit<VuserRun, 'round'> {
  /** Requests a second that these users would make if nothing ever took time. */
  offeredRps: number;
  errorShare: number;
}

export interface VusersReport extends BenchHead {
  options: VusersOptions;
  threads: number;
  runs: VuserRun[];
  steps: VuserStep[];
  knees: Record<VuserDoor, Knee>;
}

const warmUpMs = 2000;
const keys = 10_000;
const bucketMs = 1000;

export async function benchVusers(options: VusersOptions, context: BenchContext): Promise<VusersReport> {
  const head = headOf('vusers', context);
  checkOpenFiles(Math.max(...options.ramp));
  const runs: VuserRun[] = [];
  await withTestbed(options, async (own) => {
    for (let round = 1; round <= options.rounds; round++) {
      for (const users of options.ramp) {
        for (const door of inTurn(vuserDoors, round)) {
          const run = { door, users, round, ...(await oneStep(own[door], users, options, context.signal)) };
          runs.push(run);
          context.report(
            `round ${round} of ${options.rounds}, ${users} users, ${door}: ${run.rps} requests/s, p99 ${run.p99Ms} ms`,
          );
        }
      }
    }
  });
  const steps = stepsOf(runs, options);
  const kneeOf = (door: VuserDoor) => findKnee(steps.filter((step) => step.door === door));
  return {
    ...head,
    options,
    threads: threadsFor(),
    runs,
    steps,
    knees: { gate: kneeOf('gate'), direct: kneeOf('direct') },
  };
}

async function oneStep(
  target: OwnTestbed[VuserDoor],
  users: number,
  { thinkMs, readShare, valueBytes, stepMs }: VusersOptions,
  signal: AbortSignal,
): Promise<Omit<VuserRun, 'door' | 'users' | 'round'>> {
  const load = { users, thinkMs, readShare, valueBytes, keys, bucketMs };
  const plan = { protocol: 'redis' as const, ...target, ...load };
  const generator = await LoadGenerator.start(plan, signal);
  try {
    await delay(warmUpMs, undefined, { signal });
    generator.mark();
    await delay(stepMs, undefined, { signal });
    return figuresOf(await generator.stop());
  } finally {
    await generator.end();
  }
}

function figuresOf(result: LoadResult): Omit<VuserRun, 'door' | 'users' | 'round'> {
  const ms = (micros: number) => Math.round(micros / 10) / 100;
  const { latency, lag, errors, dropped, utilization, seconds } = result;
  return {
    rps: Math.round(latency.count / seconds),
    p50Ms: ms(latency.percentile(50)),
    p95Ms: ms(latency.percentile(95)),
    p99Ms: ms(latency.percentile(99)),
    maxMs: ms(latency.count === 0 ? 0 : latency.max),
    errors,
    dropped,
    lagP99Ms: ms(lag.percentile(99)),
    utilization: Math.round(utilization * 100) / 100,
  };
}

function stepsOf(runs: readonly VuserRun[], { ramp, thinkMs, stepMs }: VusersOptions): VuserStep[] {
  return ramp.flatMap((users) =>
    vuserDoors.map((door) => {
      const those = runs.filter((run) => run.door === door && run.users === users);
      const of = (key: 'rps' | 'p50Ms' | 'p95Ms' | 'p99Ms' | 'lagP99Ms' | 'utilization') =>
        Math.round(median(those.map((run) => run[key])) * 100) / 100;
      const errors = dictionary<number>();
      for (const run of those)
        for (const [word, count] of Object.entries(run.errors)) errors[word] = (errors[word] ?? 0) + count;
      const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
      const answered = those.reduce((sum, { rps }) => sum + (rps * stepMs) / 1000, 0);
      return {
        ...{
          door,
          users,
          rps: Math.round(of('rps')),
          p50Ms: of('p50Ms'),
          p95Ms: of('p95Ms'),
          p99Ms: of('p99Ms'),
        },
        maxMs: Math.max(...those.map(({ maxMs }) => maxMs)),
        ...{ errors, dropped: those.reduce((sum, run) => sum + run.dropped, 0) },
        ...{ lagP99Ms: of('lagP99Ms'), utilization: of('utilization') },
        offeredRps: thinkMs === 0 ? Number.POSITIVE_INFINITY : Math.round((users * 1000) / thinkMs),
        errorShare: failed + answered === 0 ? 0 : failed / (failed + answered),
      };
    }),
  );
}
