/**
 * What keeping data costs: the four modes of persistence, asked directly, through the gate, and through a gate that
 * answers a write only when every replica has it. Each mode runs on a fresh deployment of its own, one at a time, and
 * in turns: nobody else's server is idle on the same cores, and none starts with another's files.
 */
import { errorText } from '../base/errors.ts';
import type { TestbedSettings } from '../testbed/testbed.ts';
import { type Disk, measureDisk } from './disk.ts';
import { BenchFailed } from './errors.ts';
import { type OwnTestbed, withTestbed } from './own-testbed.ts';
import { type BenchmarkFigures, findBenchmark, runBenchmark } from './redis-benchmark.ts';
import { type BenchContext, type BenchHead, headOf } from './result.ts';
import { inTurn } from './turns.ts';

export type PersistenceMode = TestbedSettings['persistence'];
export const persistenceDoors = ['direct', 'gate', 'gate, replicated'] as const;
export type PersistenceDoor = (typeof persistenceDoors)[number];

export interface PersistenceOptions {
  modes: PersistenceMode[];
  tests: string[];
  rounds: number;
  requests: number;
  clients: number;
  valueBytes: number;
}

export interface PersistenceRun extends BenchmarkFigures {
  mode: PersistenceMode;
  door: PersistenceDoor;
  test: string;
  round: number;
}

export interface PersistenceReport extends BenchHead {
  options: PersistenceOptions;
  disk: Disk;
  runs: PersistenceRun[];
}

const keys = 100_000;
/** A gate is as fast as it gets only once its code has been compiled. */
const warmUp = { requests: 40_000, pipeline: 16 };

export async function benchPersistence(
  options: PersistenceOptions,
  context: BenchContext,
): Promise<PersistenceReport> {
  const program = findBenchmark();
  const head = headOf('persistence', context);
  const disk = await measureDisk();
  const runs: PersistenceRun[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const mode of inTurn(options.modes, round - 1)) {
      for (const durability of inTurn(['async', 'replicated'] as const, round - 1)) {
        context.signal.throwIfAborted();
        const measured = await withTestbed({ durability, persistence: mode }, (own) =>
          measureTestbed(program, doorsOf(own, durability), { options, round, context }),
        );
        runs.push(...measured.map((run) => ({ ...run, mode, round })));
        context.report(`round ${round} of ${options.rounds}: ${mode}, ${durability}`);
      }
    }
  }
  return { ...head, options, disk, runs };
}

type DoorPort = [door: PersistenceDoor, port: number];

function doorsOf({ direct, gate }: OwnTestbed, durability: TestbedSettings['durability']): DoorPort[] {
  if (durability === 'replicated') return [['gate, replicated', gate.port]];
  return [
    ['direct', direct.port],
    ['gate', gate.port],
  ];
}

async function measureTestbed(
  program: string,
  doors: DoorPort[],
  { options, round, context }: { options: PersistenceOptions; round: number; context: BenchContext },
): Promise<Omit<PersistenceRun, 'mode' | 'round'>[]> {
  for (const [, port] of doors) {
    for (const test of ['set', 'get']) await measure(program, { test, port, ...warmUp }, options, context);
  }
  const runs: Omit<PersistenceRun, 'mode' | 'round'>[] = [];
  for (const test of options.tests) {
    for (const [door, port] of inTurn(doors, round)) {
      runs.push({ door, test, ...(await measure(program, { test, port }, options, context)) });
    }
  }
  return runs;
}

async function measure(
  program: string,
  what: { test: string; port: number; requests?: number; pipeline?: number },
  { requests, clients, valueBytes }: PersistenceOptions,
  { signal }: BenchContext,
): Promise<BenchmarkFigures> {
  const run = { pipeline: 1, requests, ...what, clients, valueBytes, keys };
  try {
    return await runBenchmark(program, run, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw BenchFailed(errorText(cause), { hint: 'The deployment was stopped.', cause });
  }
}
