/**
 * Keeps a process for each mirror of the spec, on the host of the primary, and what is known of it for status, metrics and
 * events. What a mirror does is in mirror/mirror.ts; here is only who runs, and when again.
 *
 * While nobody knows the primary, a process that runs goes on: it finds the next primary by itself. Two hosts may run one
 * for a moment: only one of them gets its writes in.
 */

import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { errorFromJson } from '../../base/error-wire.ts';
import { errorText } from '../../base/errors.ts';
import type { SourceProgress } from '../../migrate/progress.ts';
import type { MirrorLine, MirrorTask, QueueLine } from '../../mirror/task.ts';
import type { Mirror } from '../../spec/spec.ts';
import { actingPrimary } from '../../topology/view.ts';
import type { Deployment } from '../deployment.ts';
import { MirrorElsewhere, MirrorUnknown } from '../errors.ts';
import { runWorker } from '../jobs/run-worker.ts';
import { PausedMirrors } from './paused-mirrors.ts';

/** What `status` shows. */
export interface MirrorStatus {
  name: string;
  to: string;
  /** The host that runs it: that of the primary; null while nobody knows the primary. */
  host: string | null;
  state: 'paused' | 'elsewhere' | 'failed' | 'starting' | SourceProgress['phase'];
  /** Of the copy under way, or the last one of this process. */
  keys: number;
  bytes: number;
  totalBytes: number | null;
  bytesPerSecond: number;
  /** Of the copy; null when nobody can tell. */
  secondsLeft: number | null;
  /** Behind the primary; null when nobody knows. */
  lagBytes: number | null;
  lagSeconds: number | null;
  /** What waits on this side to be applied there, and for how long the first of it has; null when no process here knows. */
  queueBytes: number | null;
  queueSeconds: number | null;
  /** Why it failed, or why it waits. */
  problem: string | null;
  /** The same as a sentence, when that makes the deployment degraded: it is to run here, and does not follow. */
  trouble: string | null;
}

interface Running {
  mirror: Mirror;
  isPaused: boolean;
  stop: AbortController;
  ended: Promise<void>;
}

/** One that failed is begun again every few seconds, and has failed until it follows. */
export function mirrorTrouble(
  name: string,
  state: MirrorStatus['state'],
  failure: string | null,
  problem: string | null,
): string | null {
  if (state === 'paused' || state === 'elsewhere') return null;
  if (failure !== null) return `the mirror ${name} failed: ${failure}`;
  return state === 'waiting' ? `the mirror ${name} waits: ${problem ?? 'its target does not answer'}` : null;
}

function queueProblem({ isFull, problem }: QueueLine): string | null {
  if (problem !== null) return problem;
  return isFull ? 'its queue is full: what comes now is kept by the primary’s backlog only' : null;
}

const workerFile = fileURLToPath(new URL('../../mirror/worker.js', import.meta.url));
const tickMs = 1000;
const againMs = 10_000;

export class MirrorKeeper {
  readonly #deployment: Deployment;
  readonly #paused: PausedMirrors;
  readonly #running = new Map<string, Running>();
  readonly #progress = new Map<string, SourceProgress>();
  readonly #queues = new Map<string, QueueLine>();
  /** The spec's mirrors when queues of others were looked for last. */
  #swept: readonly string[] | undefined;
  readonly #failed = new Map<string, { text: string; againAtMs: number }>();
  readonly #anew = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
    this.#paused = new PausedMirrors(deployment.setting.paths.mirrors);
  }

  /** @throws STATE_DIR_UNUSABLE */
  async start(): Promise<void> {
    await this.#paused.load();
    this.#timer = setInterval(() => this.tick(), tickMs);
    this.tick();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await Promise.all([...this.#running.keys()].map((name) => this.#end(name)));
  }

  /** Starts what should run here and does not, and ends what should not. */
  tick(): void {
    const { spec, setting } = this.#deployment;
    void this.#forgetOthers(spec.mirrors.map(({ name }) => name));
    if (spec.mirrors.length === 0 && this.#running.size === 0) return;
    const host = this.#host();
    for (const [name, { mirror, isPaused }] of this.#running) {
      const wanted = spec.mirrors.find((each) => each.name === name);
      const moved = host !== null && host !== setting.host;
      const isOther = this.#paused.has(name) !== isPaused || !isDeepStrictEqual(wanted, mirror);
      if (moved || isOther) void this.#end(name);
    }
    if (this.#stopped || host !== setting.host) return;
    const nowMs = setting.clock.monotonicMs();
    for (const mirror of spec.mirrors) {
      const { name } = mirror;
      if (this.#running.has(name)) continue;
      if (nowMs >= (this.#failed.get(name)?.againAtMs ?? 0)) this.#begin(mirror);
    }
  }

  status(): MirrorStatus[] {
    return this.#deployment.spec.mirrors.map(({ name, to }) => {
      const seen = this.#progress.get(name);
      const failure = this.#failed.get(name)?.text ?? null;
      const state = this.#state(name);
      const queue = this.#queues.get(name);
      const why = failure ?? (seen?.phase === 'following' ? null : (seen?.problem ?? null));
      const problem =
        [why, queue === undefined ? null : queueProblem(queue)].filter(Boolean).join('; ') || null;
      return {
        ...{ name, to, host: this.#host(), state },
        ...{ keys: seen?.keys ?? 0, bytes: seen?.bytes ?? 0, totalBytes: seen?.totalBytes ?? null },
        ...{ bytesPerSecond: seen?.bytesPerSecond ?? 0, secondsLeft: seen?.secondsLeft ?? null },
        ...{ lagBytes: seen?.lagBytes ?? null, lagSeconds: seen?.lagSeconds ?? null },
        ...{ queueBytes: queue?.bytes ?? null, queueSeconds: queue?.seconds ?? null },
        problem,
        trouble: mirrorTrouble(name, state, failure, problem),
      };
    });
  }

  /** @returns whether that is a change. @throws MIRROR_UNKNOWN */
  async setPaused(name: string, isPaused: boolean): Promise<boolean> {
    this.#known(name);
    const changed = await this.#paused.set(name, isPaused);
    if (!isPaused) this.#failed.delete(name);
    if (changed)
      this.#say(isPaused ? 'mirror-paused' : 'mirror-resumed', name, isPaused ? 'is paused' : 'goes on');
    if (changed) await this.#end(name);
    this.tick();
    return changed;
  }

  /** Has the target emptied and filled anew. @throws MIRROR_UNKNOWN, MIRROR_ELSEWHERE */
  async resync(name: string): Promise<void> {
    this.#known(name);
    const { setting } = this.#deployment;
    const host = this.#host();
    if (host !== setting.host) {
      throw MirrorElsewhere(
        `mirror ${name} is run by ${host ?? 'the host of the primary, which nobody knows now'}`,
        {
          hint: 'Say it there.',
        },
      );
    }
    await this.#end(name);
    this.#failed.delete(name);
    this.#anew.add(name);
    this.#say('mirror-resync', name, 'is to be filled anew');
    this.tick();
  }

  #known(name: string): void {
    const names = this.#deployment.spec.mirrors.map((mirror) => mirror.name);
    if (names.includes(name)) return;
    if (this.#deployment.spec.gate.mirrors.some((mirror) => mirror.name === name)) {
      throw MirrorUnknown(`mirror ${name} copies requests: there is nothing that follows`, {
        hint: 'Change its percentage in the spec, or take it out, and holdfast apply.',
      });
    }
    throw MirrorUnknown(`there is no mirror ${name}`, {
      hint: names.length === 0 ? 'The spec has no mirrors.' : `The spec has ${names.join(', ')}.`,
    });
  }

  #state(name: string): MirrorStatus['state'] {
    const { setting } = this.#deployment;
    if (this.#paused.has(name)) return 'paused';
    if (this.#running.has(name)) return this.#progress.get(name)?.phase ?? 'starting';
    const host = this.#host();
    if (host !== null && host !== setting.host) return 'elsewhere';
    return this.#failed.has(name) ? 'failed' : 'starting';
  }

  #host(): string | null {
    return actingPrimary(this.#deployment.view())?.host ?? null;
  }

  #begin(mirror: Mirror): void {
    const { name } = mirror;
    const { spec, setting } = this.#deployment;
    const isAnew = this.#anew.delete(name);
    const isPaused = this.#paused.has(name);
    const task: MirrorTask = {
      ...{ name, spec, secretFile: setting.paths.secret, isAnew, isPaused },
      queueFolder: path.join(setting.paths.mirrorQueues, name),
    };
    const stop = new AbortController();
    const beganMs = setting.clock.monotonicMs();
    let error: unknown;
    let copies = 0;
    const ending = runWorker<MirrorLine>(workerFile, {
      task,
      signal: stop.signal,
      onLine: (line) => {
        if ('error' in line) error = errorFromJson(line.error);
        else {
          const { lostWhy } = line.queue;
          if (line.copies > copies)
            this.#say('mirror-copying', name, `gets a full copy${lostWhy === null ? '' : `: ${lostWhy}`}`);
          copies = line.copies;
          this.#queues.set(name, line.queue);
          if (line.progress !== null) this.#learn(name, line.progress);
        }
      },
    });
    const ended = ending.then((how) => {
      this.#running.delete(name);
      this.#progress.delete(name);
      this.#queues.delete(name);
      if (!stop.signal.aborted)
        this.#fail(name, error === undefined ? `its process ${how}` : errorText(error), beganMs);
    });
    this.#running.set(name, { mirror, isPaused, stop, ended });
  }

  #learn(name: string, progress: SourceProgress): void {
    const before = this.#progress.get(name)?.phase;
    this.#progress.set(name, progress);
    if (progress.phase === before) return;
    if (progress.phase === 'following') {
      this.#failed.delete(name);
      this.#say('mirror-following', name, 'follows');
    } else if (progress.phase === 'waiting')
      this.#say('mirror-waiting', name, `waits: ${progress.problem ?? ''}`);
  }

  /** One that ran for a while is begun again at once: it was killed, or something has changed. */
  #fail(name: string, text: string, beganMs: number): void {
    const nowMs = this.#deployment.setting.clock.monotonicMs();
    const againAtMs = Math.max(nowMs, beganMs + againMs);
    // The same failure is told once.
    if (this.#failed.get(name)?.text !== text) this.#say('mirror-failed', name, `failed: ${text}`);
    this.#failed.set(name, { text, againAtMs });
  }

  #say(kind: Parameters<Deployment['events']['add']>[0], name: string, what: string): void {
    this.#deployment.events.add(kind, name, `the mirror ${name} ${what}`);
  }

  /** What waits for mirrors that are in the spec no more is removed. */
  async #forgetOthers(names: readonly string[]): Promise<void> {
    if (isDeepStrictEqual(names, this.#swept)) return;
    this.#swept = names;
    const { mirrorQueues } = this.#deployment.setting.paths;
    for (const name of await readdir(mirrorQueues).catch(() => [])) {
      if (names.includes(name)) continue;
      await this.#end(name);
      await rm(path.join(mirrorQueues, name), { recursive: true, force: true }).catch(() => {});
    }
  }

  async #end(name: string): Promise<void> {
    const running = this.#running.get(name);
    running?.stop.abort(new Error('the mirror stops'));
    await running?.ended;
  }
}
