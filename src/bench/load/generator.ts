/** Virtual users in threads of their own, so that whoever measures does not disturb what it measures. */
import os from 'node:os';
import { Worker } from 'node:worker_threads';
import { onAbort } from '../../base/abort.ts';
import { errorText } from '../../base/errors.ts';
import { BenchFailed } from '../errors.ts';
import { mergeTallies, type Tally } from './tally.ts';
import type { WorkerOrder, WorkerPlan, WorkerWord } from './worker.ts';

/** What a load did in the time from `mark` to `stop`. */
export interface LoadResult extends Tally {
  seconds: number;
}

const connectWithinMs = 60_000;
const mostThreads = 4;

/** Half of the cores, so that something is left for what is measured. */
export function threadsFor(cores = os.availableParallelism()): number {
  return Math.max(1, Math.min(mostThreads, Math.floor(cores / 2)));
}

export class LoadGenerator {
  readonly #workers: Worker[];
  #markedMs = performance.now();
  #failure: Error | null = null;

  private constructor(workers: Worker[]) {
    this.#workers = workers;
    for (const worker of workers) {
      worker.on('error', (error) => {
        this.#failure = BenchFailed(`the load generator failed: ${errorText(error)}`, { cause: error });
      });
    }
  }

  /** Resolves when every user is connected, and they begin. @throws BENCH_FAILED when they can't, the signal's reason */
  static async start(plan: WorkerPlan, signal: AbortSignal): Promise<LoadGenerator> {
    const threads = Math.min(threadsFor(), plan.users);
    const workers = Array.from({ length: threads }, (_, i) => {
      const users = Math.floor(plan.users / threads) + (i < plan.users % threads ? 1 : 0);
      return new Worker(new URL('./worker.js', import.meta.url), { workerData: { ...plan, users } });
    });
    const generator = new LoadGenerator(workers);
    const give = AbortSignal.any([signal, AbortSignal.timeout(connectWithinMs)]);
    try {
      await Promise.all(workers.map((worker) => wordOf(worker, 'connected', give)));
    } catch (cause) {
      await generator.end();
      signal.throwIfAborted();
      throw BenchFailed(
        `${plan.users} users could not connect to port ${plan.port} within ${connectWithinMs / 1000} s`,
        {
          hint: 'On a busy machine it takes longer: try with nothing else running, or with fewer users. A connection is an open file, of which ulimit -n shows how many a process may have.',
          cause,
        },
      );
    }
    generator.mark();
    return generator;
  }

  /** What was so far is forgotten; the users begin with the first. */
  mark(): void {
    this.#markedMs = performance.now();
    this.#tell('mark');
  }

  /** Ends the users. @throws BENCH_FAILED when a thread failed */
  async stop(): Promise<LoadResult> {
    const seconds = (performance.now() - this.#markedMs) / 1000;
    const give = AbortSignal.timeout(connectWithinMs);
    const words = this.#workers.map((worker) => wordOf(worker, 'done', give));
    this.#tell('stop');
    try {
      const tallies = await Promise.all(words);
      return {
        ...mergeTallies(tallies.flatMap((word) => (word.kind === 'done' ? [word.tally] : []))),
        seconds,
      };
    } catch (error) {
      throw this.#failure ?? error;
    } finally {
      await this.end();
    }
  }

  /** Ends the threads, whatever they do. */
  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #tell(order: WorkerOrder): void {
    for (const worker of this.#workers) worker.postMessage(order);
  }
}

function wordOf(worker: Worker, kind: WorkerWord['kind'], give: AbortSignal): Promise<WorkerWord> {
  return new Promise((resolve, reject) => {
    let stopListening = () => {};
    const settle = (end: () => void) => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.off('exit', onExit);
      stopListening();
      end();
    };
    const onMessage = (word: WorkerWord) => {
      if (word.kind === kind) settle(() => resolve(word));
    };
    const onError = (error: unknown) => settle(() => reject(error));
    const onExit = () => settle(() => reject(new Error('a thread of the load generator ended')));
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', onExit);
    stopListening = onAbort(give, () => settle(() => reject(give.reason)));
  });
}
