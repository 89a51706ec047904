/**
 * A migration that runs: a stream for each source, what is told of them, and what other commands ask of it. Its state is
 * in the target (how far each stream is) and in its directory (what it is, and whether its change was made), so that it
 * may end at any moment and be taken up by another process.
 */
import { rm } from 'node:fs/promises';
import { errorToJson } from '../base/error-wire.ts';
import { RedisConnection } from '../redis/connection.ts';
import { positionKey } from '../stream/position.ts';
import type { TargetPlace } from '../stream/target-writer.ts';
import { type ControlRequest, ControlServer } from './control.ts';
import { type CutOverResult, cutOver, Hold } from './cut-over.ts';
import { CutOverNotNow } from './errors.ts';
import type { FollowedSource } from './followed-source.ts';
import { FrontGates } from './front-gates.ts';
import type { KeyList } from './key-list.ts';
import { type MigrationPaths, type Plan, streamId } from './plan.ts';
import { type Phase, type Progress, readProgress, writeProgress } from './progress.ts';
import { type RunsOptions, sourceRuns } from './source-runs.ts';

export interface MigrationOptions extends RunsOptions {
  /** Called every second. */
  onProgress(progress: Progress): void;
}

export type MigrationEnd =
  /** It can be taken up again. */
  'stopped' | 'finished' | 'aborted';

const everyMs = 1000;
const cutOverWithinMs = 10_000;
const askMs = 5000;

export class Migration {
  readonly #options: MigrationOptions;
  readonly #lists: readonly KeyList[];
  readonly #runs: readonly FollowedSource[];
  #phase: Phase = 'running';
  #failure: unknown = null;
  #streams: { stop: AbortController; ended: Promise<void> } | undefined;
  #hold: Hold | undefined;
  #gates = new FrontGates([]);
  #isForgotten = false;
  #end: (how: MigrationEnd) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  /** What was asked for goes one by one. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: MigrationOptions) {
    this.#options = options;
    const { runs, lists } = sourceRuns(options);
    this.#runs = runs;
    this.#lists = lists;
  }

  /**
   * Until it is finished or aborted, or the signal is.
   * @throws MIGRATION_RUNS; and what ends a stream for good: see `Stream.run`
   */
  async run(signal: AbortSignal): Promise<MigrationEnd> {
    const { paths } = this.#options;
    const before = await readProgress(paths);
    const control = await ControlServer.listen(paths.socket, (request) => this.#inTurn(request));
    const timer = setInterval(() => void this.#tick().catch((error) => this.#fail(error)), everyMs);
    const stop = () => this.#end('stopped');
    try {
      const ended = new Promise<MigrationEnd>((resolve, reject) => {
        this.#end = resolve;
        this.#fail = reject;
      });
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      if (before?.phase === 'cut-over') await this.#cutOverAgain(before.gates);
      else this.#startStreams();
      const how = await ended;
      await this.#stopStreams();
      if (this.#phase === 'running') this.#phase = 'stopped';
      return how;
    } catch (error) {
      this.#failure = error;
      this.#phase = 'failed';
      await this.#stopStreams();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      clearInterval(timer);
      this.#hold?.stop();
      await control.close();
      await this.#leave();
    }
  }

  #inTurn(request: ControlRequest): Promise<unknown> {
    const answer = this.#turn.then(() => this.#answer(request));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async #answer({ verb, withinMs, gates, release }: ControlRequest): Promise<unknown> {
    switch (verb) {
      case 'ping':
        return 'pong';
      case 'pause':
        return await this.#pause();
      case 'resume':
        return await this.#resume();
      case 'cut-over':
        return await this.#cutOver(withinMs ?? cutOverWithinMs, new FrontGates(gates ?? []));
      case 'undo':
        return await this.#undo();
      case 'finish':
        return await this.#finish(release === true);
      case 'abort':
        return await this.#abort();
      default:
        throw new TypeError(`no such question: ${String(verb)}`);
    }
  }

  #startStreams(): void {
    const stop = new AbortController();
    const ended = Promise.all(this.#runs.map((run) => run.run(stop.signal))).then(() => {});
    ended.catch((error) => this.#fail(error));
    this.#streams = { stop, ended };
    this.#phase = 'running';
  }

  async #stopStreams(): Promise<void> {
    const streams = this.#streams;
    this.#streams = undefined;
    streams?.stop.abort(new Error('the migration stops'));
    await Promise.allSettled([streams?.ended]);
  }

  async #pause(): Promise<Phase> {
    if (this.#phase === 'running') {
      await this.#stopStreams();
      this.#phase = 'paused';
      await this.#tick();
    }
    return this.#phase;
  }

  async #resume(): Promise<Phase> {
    if (this.#phase === 'paused') {
      this.#startStreams();
      await this.#tick();
    }
    return this.#phase;
  }

  async #cutOver(withinMs: number, gates: FrontGates): Promise<CutOverResult> {
    if (this.#phase === 'cut-over' && gates.sockets.length > 0) return await this.#moveMore(gates);
    if (this.#phase !== 'running') {
      throw CutOverNotNow(`this migration is ${this.#phase}`, {
        hint: 'Only one that runs can be cut over.',
      });
    }
    if (!(await gates.areBefore())) {
      throw CutOverNotNow('a gate has moved its clients to the new side already', {
        hint: 'Name those that stand before the old servers.',
      });
    }
    await gates.check();
    const target = this.#connectTarget();
    const begin = performance.now();
    try {
      await gates.hold(withinMs);
      const { plan } = this.#options;
      const compares = plan.isAlone && plan.sources.every(({ match }) => match.length === 0);
      const positions = plan.method === 'scan' ? 0 : this.#runs.length;
      const keys = await cutOver({ sources: this.#runs, target, compares, positions, withinMs });
      this.#hold = new Hold(this.#runs);
      this.#gates = gates;
      this.#phase = 'cut-over';
      // Whoever takes this up must know it before the first client writes at the new side.
      await this.#writeProgress();
      const notMoved = await gates.move('members');
      const heldMs = performance.now() - begin;
      await this.#stopStreams();
      await this.#tick();
      return { heldMs, keys, notMoved };
    } catch (error) {
      await gates.release();
      throw error;
    } finally {
      target.close();
    }
  }

  /** Gates that were not moved at the cut-over, or not named then. */
  async #moveMore(gates: FrontGates): Promise<CutOverResult> {
    const begin = performance.now();
    this.#gates = new FrontGates([...new Set([...this.#gates.sockets, ...gates.sockets])]);
    await this.#writeProgress();
    const notMoved = await gates.move('members');
    return { heldMs: performance.now() - begin, keys: null, notMoved };
  }

  /**
   * Behind a process that ended in between: the old side is kept closed. Where gates were to take the clients away and none
   * has, they are all at the old side still, which may have taken writes since: then there was no cut-over.
   */
  async #cutOverAgain(sockets: readonly string[]): Promise<void> {
    const gates = new FrontGates(sockets);
    this.#hold = new Hold(this.#runs);
    if (sockets.length > 0 && (await gates.areBefore())) return await this.#reopen();
    this.#gates = gates;
    this.#phase = 'cut-over';
    await this.#hold.renew();
    await gates.move('members');
  }

  /** The old side takes writes, and is followed. */
  async #reopen(): Promise<void> {
    this.#startStreams();
    await this.#hold?.release();
    this.#hold = undefined;
    this.#gates = new FrontGates([]);
  }

  async #undo(): Promise<Phase> {
    this.#refuseUnlessCutOver();
    await this.#takeBack();
    await this.#reopen();
    await this.#tick();
    return this.#phase;
  }

  /** Clients of gates go back to the old side, which does not take their writes yet. @throws CUT_OVER_NOT_NOW */
  async #takeBack(): Promise<void> {
    const stayed = await this.#gates.move('predecessor');
    if (stayed.length === 0) return;
    throw CutOverNotNow(`clients stay at the new side: ${stayed.join('; ')}`, {
      hint: 'The old side is still held. Try again when those gates answer.',
    });
  }

  async #finish(release: boolean): Promise<{ open: string[] }> {
    this.#refuseUnlessCutOver();
    let open: string[] = [];
    if (release) await this.#hold?.release();
    else open = (await this.#hold?.close()) ?? [];
    await this.#forget();
    this.#end('finished');
    return { open };
  }

  async #abort(): Promise<null> {
    await this.#stopStreams();
    await this.#takeBack();
    await this.#hold?.release();
    this.#hold = undefined;
    await this.#forget();
    this.#end('aborted');
    return null;
  }

  #refuseUnlessCutOver(): void {
    if (this.#phase === 'cut-over') return;
    throw CutOverNotNow(`this migration is ${this.#phase}: there was no cut-over`, {
      hint: 'holdfast migrate cutover makes it; holdfast migrate abort gives the migration up.',
    });
  }

  async #forget(): Promise<void> {
    const { plan, paths, target } = this.#options;
    this.#isForgotten = true;
    for (const list of this.#lists) await list.close();
    await forgetMigration(plan, paths, target);
  }

  #connectTarget(): RedisConnection {
    return new RedisConnection({ ...this.#options.target, timeoutMs: askMs });
  }

  async #tick(): Promise<void> {
    // What can't be asked now is asked again in a second; the lag then shows what was known.
    await Promise.allSettled(this.#runs.map((run) => run.look()));
    if (this.#isForgotten) return;
    this.#options.onProgress(this.#progress());
    await this.#writeProgress();
  }

  async #writeProgress(): Promise<void> {
    await writeProgress(this.#options.paths, this.#progress());
  }

  #progress(): Progress {
    const failure = this.#failure === null ? null : errorToJson(this.#failure);
    return {
      ...{ version: 1, phase: this.#phase, pid: process.pid, writtenMs: Date.now() },
      failure: failure && { code: failure.code, message: failure.message, hint: failure.hint ?? null },
      gates: this.#gates.sockets,
      sources: this.#runs.map((run) => {
        const { problem, ...source } = run.progress();
        return { ...source, problem: this.#hold?.problem ?? problem };
      }),
    };
  }

  async #leave(): Promise<void> {
    for (const run of this.#runs) run.close();
    for (const list of this.#lists) await list.close();
    await this.#turn;
    // What was finished or aborted leaves nothing.
    if (!this.#isForgotten) await this.#writeProgress();
  }
}

/** Takes the positions out of the target, and the plan out of the state directory. @throws REDIS_UNREACHABLE, REDIS_REFUSED */
export async function forgetMigration(plan: Plan, paths: MigrationPaths, place: TargetPlace): Promise<void> {
  const target = new RedisConnection({ ...place, timeoutMs: askMs });
  try {
    for (const index of plan.sources.keys()) await target.call('DEL', positionKey(streamId(plan, index)));
  } finally {
    target.close();
  }
  for (const index of plan.sources.keys()) await rm(paths.copied(index), { force: true });
  await rm(paths.plan, { force: true });
  await rm(paths.progress, { force: true });
}
