/**
 * Throughput and latency of one server asked directly and through each front door that people put before it, with
 * redis-benchmark. They are measured in turns, and who begins changes with each round, so that a noisy machine is noisy
 * for all of them.
 */
import { errorText } from '../base/errors.ts';
import type { DoorKind } from './door-kinds.ts';
import { type DoorProcess, startDoors } from './door-processes.ts';
import { familyCpuMicros } from './process-cost.ts';
import { type BenchmarkFigures, type BenchmarkRun, findBenchmark, runBenchmark } from './redis-benchmark.ts';
import { type BenchContext, type BenchHead, headOf } from './result.ts';
import { Scratch } from './scratch.ts';
import { inTurn } from './turns.ts';

export interface DoorsOptions {
  rounds: number;
  requests: number;
  clients: number;
  pipelines: number[];
  tests: string[];
  valueBytes: number;
  kinds: readonly DoorKind[];
  /** With `replicated` the server has two replicas, and a second gate waits for them. */
  durability: 'async' | 'replicated';
  /** Another build's gate/main.js, to be measured as one more door; null for none. */
  otherGate: string | null;
}

export interface DoorRun extends BenchmarkFigures {
  door: string;
  test: string;
  pipeline: number;
  round: number;
  /** Processor time of the door for each request, in microseconds; null for the server itself, or where unknown. */
  cpuMicros: number | null;
}

export interface DoorsReport extends BenchHead {
  options: DoorsOptions;
  doors: string[];
  runs: DoorRun[];
  /** What a door could not do. */
  failures: { door: string; test: string; pipeline: number; reason: string }[];
}

/** redis-benchmark counts in milliseconds: what is over within one has no throughput. */
const leastRequests = 1000;

/** LRANGE moves so many bytes a request that fewer are enough; with a pipeline more are needed to see something. */
function requestsFor(test: string, pipeline: number, requests: number): number {
  const base = test.startsWith('lrange') ? Math.ceil(requests / 5) : requests;
  return pipeline === 1 ? base : base * 4;
}

export async function benchDoors(options: DoorsOptions, context: BenchContext): Promise<DoorsReport> {
  const program = findBenchmark();
  const scratch = await Scratch.create();
  const report: DoorsReport = { ...headOf('doors', context), options, doors: [], runs: [], failures: [] };
  try {
    const doors = await startDoors(scratch, options);
    report.doors = doors.map(({ name }) => name);
    await warmUp(program, doors, options, context);
    for (const pipeline of options.pipelines) {
      for (const test of options.tests) {
        await measureTest({ program, test, pipeline, doors }, report, context);
      }
    }
    return report;
  } finally {
    await scratch.close();
  }
}

/** A gate is as fast as it gets only once its code has been compiled. */
async function warmUp(
  program: string,
  doors: DoorProcess[],
  { clients, valueBytes, requests }: DoorsOptions,
  { signal }: BenchContext,
): Promise<void> {
  const warmUps = Math.max(leastRequests, requests * 4);
  for (const test of ['set', 'get']) {
    for (const { port } of doors) {
      const run = { port, test, clients, pipeline: 16, requests: warmUps, valueBytes };
      await runBenchmark(program, run, signal);
    }
  }
}

/** All rounds of one test. Round 0 makes lists to range over and the like, and is not counted. */
async function measureTest(
  {
    program,
    test,
    pipeline,
    doors,
  }: { program: string; test: string; pipeline: number; doors: DoorProcess[] },
  report: DoorsReport,
  { report: tell, signal }: BenchContext,
): Promise<void> {
  const { rounds, requests: wanted, clients, valueBytes } = report.options;
  let able = doors;
  for (let round = 0; round <= rounds; round++) {
    for (const door of inTurn(able, round)) {
      const all = requestsFor(test, pipeline, wanted);
      const requests = round === 0 ? Math.max(leastRequests, Math.ceil(all / 5)) : all;
      const run = { port: door.port, test, clients, pipeline, requests, valueBytes };
      try {
        const figures = await runAndWatch(program, run, door, signal);
        if (round > 0) report.runs.push({ door: door.name, test, pipeline, round, ...figures });
      } catch (error) {
        signal.throwIfAborted();
        report.failures.push({ door: door.name, test, pipeline, reason: errorText(error) });
        able = able.filter((each) => each !== door);
      }
    }
    if (round > 0) tell(`-P ${pipeline} ${test}: round ${round} of ${rounds}`);
  }
}

async function runAndWatch(
  program: string,
  run: BenchmarkRun,
  { pid }: DoorProcess,
  signal: AbortSignal,
): Promise<BenchmarkFigures & { cpuMicros: number | null }> {
  const before = pid === null ? null : familyCpuMicros(pid);
  const figures = await runBenchmark(program, run, signal);
  const after = pid === null ? null : familyCpuMicros(pid);
  return {
    ...figures,
    cpuMicros: before === null || after === null ? null : (after - before) / run.requests,
  };
}
