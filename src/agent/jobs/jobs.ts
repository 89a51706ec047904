/**
 * What was asked of this agent, and what became of it. A job is told by whoever carries it out; it ends by itself, or is
 * given up when somebody asks for that, or when whoever asked for it over the Unix socket goes away.
 */
import { randomBytes } from 'node:crypto';
import type { ApiJob } from '../../api/jobs.ts';
import type { Clock } from '../../base/clock.ts';
import { errorToJson } from '../../base/error-wire.ts';
import { errorCode } from '../../base/errors.ts';
import type { Report } from '../change/change-context.ts';
import { ApiNotFound, JobOver } from '../errors.ts';

const keptJobs = 100;
const keptSteps = 500;

export interface JobRequest {
  kind: string;
  /** As it was asked for. */
  request: Readonly<Record<string, unknown>>;
  by: string;
  cancellable: boolean;
}

/** Carries a job out. The signal is aborted when it is to be given up. */
export type Work = (say: Report, signal: AbortSignal, id: string) => Promise<unknown>;

interface Kept {
  job: ApiJob;
  stop: AbortController;
}

export class Jobs {
  readonly #clock: Clock;
  readonly #host: string;
  readonly #jobs = new Map<string, Kept>();
  #changes = 0;
  readonly #listeners = new Set<(job: ApiJob) => void>();

  /** @param host of this agent. */
  constructor(clock: Clock, host: string) {
    this.#clock = clock;
    this.#host = host;
  }

  /** Goes up whenever one of them changes. */
  get changes(): number {
    return this.#changes;
  }

  has(id: string): boolean {
    return this.#jobs.has(id);
  }

  /** Newest first. */
  list(): ApiJob[] {
    return [...this.#jobs.values()].map(({ job }) => job).toReversed();
  }

  /** @throws API_NOT_FOUND */
  get(id: string): ApiJob {
    return this.#kept(id).job;
  }

  /** The one that runs and changes something, newest first; null for none. */
  get running(): ApiJob | null {
    return this.list().find(({ state }) => state === 'running') ?? null;
  }

  /** Hears of each change of any job. @returns what ends the listening. */
  listen(listener: (job: ApiJob) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins one. `done` settles as the work does; the job says the same. */
  begin({ kind, request, by, cancellable }: JobRequest, work: Work): { job: ApiJob; done: Promise<unknown> } {
    const id = randomBytes(8).toString('hex');
    const job: ApiJob = {
      ...{ id, host: this.#host, kind, request: { ...request }, by, state: 'running', cancellable },
      ...{ startedAt: this.#now(), endedAt: null, steps: [], progress: null, result: null, error: null },
    };
    const stop = new AbortController();
    this.#jobs.set(id, { job, stop });
    this.#forgetOldest();
    this.#change(id, {});
    const say: Report = (text) => {
      const steps = [...this.get(id).steps, { at: this.#now(), text }].slice(-keptSteps);
      this.#change(id, { steps, progress: progressIn(text) ?? this.get(id).progress });
    };
    const done = work(say, stop.signal, id).then(
      (result) => {
        this.#end(id, { state: 'done', result: result ?? null, progress: 1 });
        return result;
      },
      (error: unknown) => {
        const state =
          stop.signal.aborted || errorCode(error) === 'OPERATION_ABORTED' ? 'cancelled' : 'failed';
        this.#end(id, { state, error: errorOf(error) });
        throw error;
      },
    );
    return { job: this.get(id), done };
  }

  /** Gives it up: it ends when its work has. @throws API_NOT_FOUND, JOB_OVER */
  cancel(id: string, reason: Error): ApiJob {
    const { job, stop } = this.#kept(id);
    if (job.state !== 'running') {
      throw JobOver(`the ${job.kind} has ended: it is ${job.state}`, {
        hint: 'There is nothing to give up.',
      });
    }
    if (!job.cancellable) {
      throw JobOver(`a ${job.kind} can't be given up`, { hint: 'Wait for its end: it takes a moment only.' });
    }
    stop.abort(reason);
    return job;
  }

  #kept(id: string): Kept {
    const kept = this.#jobs.get(id);
    if (kept !== undefined) return kept;
    throw ApiNotFound(`there is no job ${id.slice(0, 40)}`, {
      hint: 'GET /api/jobs lists those that this agent knows; it forgets them when it ends.',
    });
  }

  #end(id: string, change: Partial<ApiJob>): void {
    this.#change(id, { ...change, endedAt: this.#now(), cancellable: false });
  }

  #change(id: string, change: Partial<ApiJob>): void {
    const kept = this.#jobs.get(id);
    if (kept === undefined) return;
    kept.job = { ...kept.job, ...change };
    this.#changes += 1;
    for (const listener of [...this.#listeners]) listener(kept.job);
  }

  #forgetOldest(): void {
    const over = [...this.#jobs].filter(([, { job }]) => job.state !== 'running');
    for (const [id] of over.slice(0, Math.max(0, this.#jobs.size - keptJobs))) this.#jobs.delete(id);
  }

  #now(): string {
    return new Date(this.#clock.wallMs()).toISOString();
  }
}

function errorOf(error: unknown): ApiJob['error'] {
  const { code, message, hint } = errorToJson(error);
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

/** A step that says how far it is: `verifying: 40 %`. */
function progressIn(text: string): number | undefined {
  const percent = /\b(\d{1,3}) ?%/.exec(text)?.[1];
  return percent === undefined ? undefined : Math.min(1, Number(percent) / 100);
}
