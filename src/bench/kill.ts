/**
 * Kills one instance after the other with SIGKILL while users go on through the gate: what the throughput does, slice
 * by slice, and how long it takes until all is as before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readEvents } from '../agent/state/event-log.ts';
import { waitFor } from '../base/retry.ts';
import type { HoldfastTestbed } from '../testbed/holdfast-testbed.ts';
import type { TestbedProcess, TestbedSettings } from '../testbed/testbed.ts';
import type { Target } from './bench-client.ts';
import { BenchFailed } from './errors.ts';
import { LoadGenerator, type LoadResult, threadsFor } from './load/generator.ts';
import type { Bucket } from './load/tally.ts';
import { type OwnTestbed, withTestbed } from './own-testbed.ts';
import { type Recovery, recoveryOf, widen } from './recovery.ts';
import { type BenchContext, type BenchHead, headOf } from './result.ts';
import { inTurn } from './turns.ts';

export const killable = ['primary', 'replica', 'sentinel', 'gate'] as const;
export type Killable = (typeof killable)[number];

export interface KillOptions extends Pick<TestbedSettings, 'durability' | 'persistence'> {
  instances: Killable[];
  times: number;
  clients: number;
  thinkMs: number;
  readShare: number;
  valueBytes: number;
}

export interface KillRun extends Recovery {
  instance: Killable;
  /** Who that was: `redis-2`. */
  process: string;
  round: number;
  /** From the kill until everyone was back in place. */
  wholeMs: number;
  errors: Record<string, number>;
  droppedConnections: number;
  generatorBusy: number;
  /** Slices of `sliceMs`, and when the kill was, in ms from the start of the first. */
  slices: Bucket[];
  killMs: number;
  moments: { atMs: number; label: string }[];
}

export interface KillReport extends BenchHead {
  options: KillOptions;
  sliceMs: number;
  threads: number;
  runs: KillRun[];
}

const warmUpMs = 1500;
const beforeMs = 3000;
const afterMs = 5000;
const wholeWithinMs = 60_000;
/** Fine enough to measure a gap by; the slices that are kept are coarser. */
const bucketMs = 10;
const sliceMs = 100;
const keys = 10_000;
/** Events that show how far a recovery is; what was decided in between is in the log of the deployment. */
const telling = new Set(['exited', 'election', 'promoted', 'restart', 'primary']);

export async function benchKill(options: KillOptions, context: BenchContext): Promise<KillReport> {
  const head = headOf('kill', context);
  const runs: KillRun[] = [];
  await withTestbed(options, async ({ testbed, gate }) => {
    for (let round = 1; round <= options.times; round++) {
      for (const instance of inTurn(options.instances, round - 1)) {
        const run = await killOnce({ testbed, gate }, instance, options, context.signal);
        runs.push({ ...run, round });
        const back = run.recoveredMs === null ? 'not recovered' : `recovered after ${run.recoveredMs} ms`;
        context.report(
          `${round}/${options.times} ${instance} (${run.process}): ${run.writeGapMs} ms without a write, ${back}`,
        );
      }
    }
  });
  return { ...head, options, sliceMs, threads: threadsFor(), runs };
}

async function killOnce(
  { testbed, gate }: Pick<OwnTestbed, 'testbed' | 'gate'>,
  instance: Killable,
  options: KillOptions,
  signal: AbortSignal,
): Promise<Omit<KillRun, 'round'>> {
  const { clients, thinkMs, readShare, valueBytes } = options;
  const load = { users: clients, thinkMs, readShare, valueBytes, keys, bucketMs };
  const plan = { protocol: 'redis' as const, ...(gate as Target), ...load };
  const generator = await LoadGenerator.start(plan, signal);
  try {
    await delay(warmUpMs, undefined, { signal });
    generator.mark();
    const markedMs = performance.now();
    await delay(beforeMs, undefined, { signal });
    const { id, pid } = await processOf(testbed, instance);
    await testbed.signal(id, 'SIGKILL');
    const killedMs = performance.now();
    const minimum = delay(afterMs, undefined, { signal });
    minimum.catch(() => {});
    // The agent says that all is well until it has seen the death: only with a new process is it about afterwards.
    const isWhole = async () => {
      const now = (await testbed.processes()).find((each) => each.id === id)?.pid;
      return now !== null && now !== undefined && now !== pid && (await testbed.isWhole());
    };
    await waitFor(isWhole, { what: 'everyone to be back', withinMs: wholeWithinMs, everyMs: 50, signal });
    const wholeMs = Math.round(performance.now() - killedMs);
    await minimum;
    const result = await generator.stop();
    const killMs = killedMs - markedMs;
    return {
      ...{ instance, process: id, wholeMs, killMs: Math.round(killMs) },
      ...figuresOf(result, killMs),
      moments: momentsOf(testbed, performance.timeOrigin + markedMs),
    };
  } finally {
    await generator.end();
  }
}

function figuresOf(result: LoadResult, killMs: number) {
  return {
    ...recoveryOf(result.buckets, bucketMs, killMs),
    errors: result.errors,
    droppedConnections: result.dropped,
    generatorBusy: Math.round(result.utilization * 100) / 100,
    slices: widen(result.buckets, sliceMs / bucketMs),
  };
}

async function processOf(testbed: HoldfastTestbed, instance: Killable): Promise<TestbedProcess> {
  const primary = await testbed.primary();
  const processes = await testbed.processes();
  const wanted = {
    primary: processes.find(({ id }) => id === primary),
    replica: processes.find(({ id, kind }) => kind === 'member' && id !== primary),
    sentinel: processes.find(({ kind }) => kind === 'sentinel'),
    gate: processes.find(({ kind }) => kind === 'gate'),
  }[instance];
  if (!wanted) throw BenchFailed(`there is no ${instance} to kill`);
  return wanted;
}

/** What the agent's events say of the time from the mark on. */
function momentsOf(testbed: HoldfastTestbed, markedWallMs: number): KillRun['moments'] {
  const file = testbed.logs().find(({ kind }) => kind === 'events')?.file;
  const events = file === undefined ? [] : readEvents(file);
  return events
    .filter(({ kind }) => telling.has(kind))
    .map(({ at, kind, subject }) => ({
      atMs: Math.round(Date.parse(at) - markedWallMs),
      label: `${subject} ${kind}`,
    }))
    .filter(({ atMs }) => atMs >= 0);
}
