/**
 * The jobs of all hosts: this agent's own, and those of its colleagues, which are asked when somebody looks. What one says
 * is believed about its own host. Its token lets an agent look at another's jobs, not give them up.
 */
import { z } from 'zod';
import { type ApiJob, type ApiJobs, jobSchema } from '../../api/jobs.ts';
import { ApiNotFound, JobElsewhere } from '../errors.ts';
import { type Said, understood } from '../picture/understood.ts';
import type { Jobs } from './jobs.ts';

const withinMs = 2000;
const followEveryMs = 500;
/** Of each of a list; one of them, asked for by its id, has all that are kept. */
const listedSteps = 100;
const mostOfEach = 200;

/** Asks the agents of all other hosts. */
type Ask = (path: string, withinMs: number) => Promise<ReadonlyMap<string, Said>>;

export class AllJobs {
  readonly #own: Jobs;
  readonly #ask: Ask;

  constructor(own: Jobs, ask: Ask) {
    this.#own = own;
    this.#ask = ask;
  }

  async list(onlyHere: boolean): Promise<ApiJobs> {
    const jobs = this.#own.list().map(brief);
    const missing: ApiJobs['missing'] = [];
    const told = onlyHere ? [] : await this.#ask('/api/jobs?only=here', withinMs);
    for (const [host, said] of told) {
      const read = understood(said, listSchema);
      if ('missing' in read) missing.push({ host, why: read.missing });
      else jobs.push(...read.answer.jobs.slice(0, mostOfEach).map((job) => ({ ...brief(job), host })));
    }
    return { jobs: jobs.toSorted((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt)), missing };
  }

  /** @throws API_NOT_FOUND */
  async get(id: string, onlyHere: boolean): Promise<ApiJob> {
    if (this.#own.has(id) || onlyHere || !/^[0-9a-f]{16}$/.test(id)) return this.#own.get(id);
    const found = await this.#elsewhere(id);
    if (found !== undefined) return found;
    throw ApiNotFound(`there is no job ${id}`, {
      hint: 'GET /api/jobs lists those of all agents that answer; an agent forgets its own when it ends.',
    });
  }

  /** Hears of it at once, and whenever it changes. @returns what ends that. @throws API_NOT_FOUND */
  async follow(id: string, hear: (job: ApiJob) => void): Promise<() => void> {
    if (this.#own.has(id)) {
      hear(this.#own.get(id));
      return this.#own.listen((job) => job.id === id && hear(job));
    }
    const now = await this.get(id, false);
    hear(now);
    let known = JSON.stringify(now);
    const timer = setInterval(async () => {
      const next = await this.#elsewhere(id).catch(() => undefined);
      if (next === undefined || JSON.stringify(next) === known) return;
      known = JSON.stringify(next);
      hear(next);
    }, followEveryMs);
    return () => clearInterval(timer);
  }

  /** @throws API_NOT_FOUND, JOB_OVER, JOB_ELSEWHERE */
  async cancel(id: string, reason: Error): Promise<ApiJob> {
    const { kind, host } = await this.get(id, false);
    if (this.#own.has(id)) return this.#own.cancel(id, reason);
    throw JobElsewhere(`the ${kind} runs at the agent of ${host}`, {
      hint: `Give it up there: this agent may only look at what the agent of ${host} does.`,
    });
  }

  async #elsewhere(id: string): Promise<ApiJob | undefined> {
    for (const [host, said] of await this.#ask(`/api/jobs/${id}?only=here`, withinMs)) {
      const read = understood(said, jobSchema);
      if ('answer' in read && read.answer.id === id) return { ...read.answer, host };
    }
    return undefined;
  }
}

const listSchema = z.object({ jobs: z.array(jobSchema) });

function brief(job: ApiJob): ApiJob {
  return { ...job, steps: job.steps.slice(-listedSteps) };
}
