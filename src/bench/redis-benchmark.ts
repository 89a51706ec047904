/** Redis's own benchmark, run once against one door. */
import { execFile } from 'node:child_process';
import { ProgramMissing } from '../agent/errors.ts';
import { findProgram } from '../process/programs.ts';
import { BenchFailed } from './errors.ts';

export interface BenchmarkRun {
  port: number;
  test: string;
  clients: number;
  pipeline: number;
  requests: number;
  valueBytes: number;
  /** Keys are drawn from so many; 0: one key for all. */
  keys?: number;
}

export interface BenchmarkFigures {
  /** Requests a second. */
  rps: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** The names that redis-benchmark 6.2 and 7 know for `-t`. */
export const benchmarkTests = [
  ...['ping_inline', 'ping_mbulk', 'set', 'get', 'incr', 'lpush', 'rpush', 'lpop', 'rpop', 'sadd', 'hset'],
  ...['spop', 'zadd', 'zpopmin', 'lrange_100', 'lrange_300', 'lrange_500', 'lrange_600', 'mset'],
];

/** Nothing hangs for ever: a door that stops answering fails its run. */
const longestRunMs = 180_000;

/** @throws PROGRAM_MISSING */
export function findBenchmark(): string {
  const program = findProgram('redis-benchmark') ?? findProgram('valkey-benchmark');
  if (program !== undefined) return program;
  throw ProgramMissing('redis-benchmark is not installed, or not on the PATH', {
    hint: 'Debian, Ubuntu: apt-get install redis-tools. Fedora, macOS: it comes with redis.',
  });
}

/** @throws BENCH_FAILED when the door refuses the test or stops answering; the signal's reason when it is aborted */
export async function runBenchmark(
  program: string,
  run: BenchmarkRun,
  signal: AbortSignal,
): Promise<BenchmarkFigures> {
  const { port, test, clients, pipeline, requests, valueBytes, keys = 0 } = run;
  const numbers = { '-p': port, '-c': clients, '-n': requests, '-d': valueBytes, '-P': pipeline };
  const args = [
    ...Object.entries(numbers).flatMap(([flag, value]) => [flag, String(value)]),
    ...(keys > 0 ? ['-r', String(keys)] : []),
    ...['-t', test, '--csv'],
  ];
  const { error, stdout, stderr } = await new Promise<{
    error: Error | null;
    stdout: string;
    stderr: string;
  }>((resolve) => {
    execFile(
      program,
      args,
      { encoding: 'utf8', timeout: longestRunMs, killSignal: 'SIGKILL', signal },
      (failure, out, err) => resolve({ error: failure, stdout: out, stderr: err }),
    );
  });
  signal.throwIfAborted();
  const figures = error === null ? parseBenchmarkCsv(stdout) : undefined;
  if (figures) return figures;
  if (error === null && /,"?inf\b/.test(stdout)) {
    throw BenchFailed(`${requests} requests of ${test} were over within a millisecond: too few to measure`, {
      hint: 'Ask for more with --requests.',
    });
  }
  // Its warning about CONFIG comes first, and is no reason.
  const reason = `${stderr}\n${stdout}`.split('\n').findLast((line) => /error|clos|ERR/i.test(line));
  throw BenchFailed(
    `redis-benchmark ${args.join(' ')} failed: ${reason?.trim() || error?.message || 'no figures'}`,
    {
      ...(error ? { cause: error } : {}),
    },
  );
}

/** The last line is the test's; before it LRANGE's own preparation may stand. Columns are found by name. */
export function parseBenchmarkCsv(csv: string): BenchmarkFigures | undefined {
  const rows = csv
    .trim()
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim().replaceAll('"', '')));
  const header = rows.find(([first]) => first === 'test');
  const last = rows.at(-1);
  if (!header || !last || last === header) return undefined;
  const figure = (column: string) => Number(last[header.indexOf(column)]);
  const figures = {
    rps: figure('rps'),
    p50Ms: figure('p50_latency_ms'),
    p99Ms: figure('p99_latency_ms'),
    maxMs: figure('max_latency_ms'),
  };
  return Object.values(figures).every(Number.isFinite) ? figures : undefined;
}
