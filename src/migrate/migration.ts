/**
 * A migration that runs: a stream for each source, what is told of them, and what other commands ask of it. Its state is
 * in the target (how far each stream is) and in its directory (what it is, and whether its change was made), so that it
 * may end at any moment and be taken up by another process.
 */
import { onAbort } from '../base/abort.ts';
import { errorToJson } from '../base/error-wire.ts';
import { errorText } from '../base/errors.ts';
import { RedisConnection } from '../redis/connection.ts';
import type { SourceAddress } from '../stream/source-address.ts';
import { whyNotBack } from './back/can-follow-back.ts';
import { ClosedUsers } from './back/closed-users.ts';
import { OldSide } from './back/old-side.ts';
import { WayBack } from './back/way-back.ts';
import { type ControlRequest, ControlServer } from './control.ts';
import { type CutOverResult, cutOver } from './cut-over.ts';
import { CutOverNotNow, MigrationNotRunning } from './errors.ts';
import type { FollowedSource } from './followed-source.ts';
import { forgetMigration } from './forget.ts';
import { FrontGates } from './front-gates.ts';
import type { KeyList } from './key-list.ts';
import { streamId } from './plan.ts';
import { type Phase, type Progress, readProgress, writeProgress } from './progress.ts';
import { type RunsOptions, sourceRuns } from './source-runs.ts';
import { SourceStreams } from './source-streams.ts';
import { TargetLag } from './target-lag.ts';

export interface MigrationOptions extends RunsOptions {
  /** How the target is read behind the cut-over, by the old side. */
  targetAsSource: SourceAddress;
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
  /** What another process left is known, and gone on with: until then its progress says what holds, and is not written over. */
  #isTakenUp = false;
  #failure: unknown = null;
  readonly #streams: SourceStreams;
  readonly #old: OldSide;
  readonly #lag: TargetLag | undefined;
  #gates = new FrontGates([]);
  #isForgotten = false;
  #end: (how: MigrationEnd) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  /** What was asked for goes one by one. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: MigrationOptions) {
    this.#options = options;
    const { maxLag } = options.plan;
    this.#lag = maxLag === null ? undefined : new TargetLag(options.target, maxLag);
    const { runs, lists } = sourceRuns({ ...options, lag: this.#lag });
    this.#runs = runs;
    this.#lists = lists;
    this.#streams = new SourceStreams(
      runs,
      (error) => this.#fail(error),
      () => void this.#finishFiles().catch((error) => this.#fail(error)),
    );
    this.#old = oldSideOf(options, runs);
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
    let stopListening = () => {};
    try {
      const ended = new Promise<MigrationEnd>((resolve, reject) => {
        this.#end = resolve;
        this.#fail = reject;
      });
      // What fails while it is taken up is told behind that; and what was not taken up fails by that only.
      ended.catch(() => {});
      stopListening = onAbort(signal, () => this.#end('stopped'));
      const begun = before?.phase === 'cut-over' ? this.#cutOverAgain(before) : this.#reopen();
      // What is asked for meanwhile waits until it is taken up: a change that is taken back must know what follows.
      this.#turn = Promise.allSettled([this.#turn, begun]);
      await begun;
      const how = await ended;
      await this.#streams.stop();
      if (this.#phase === 'running') this.#phase = 'stopped';
      return how;
    } catch (error) {
      this.#failure = error;
      // Whatever ends it: behind a cut-over nothing may go from the old side to the new one again.
      if (this.#phase !== 'cut-over') this.#phase = 'failed';
      await this.#streams.stop();
      throw error;
    } finally {
      stopListening();
      clearInterval(timer);
      await this.#old.stop();
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
    if (!this.#isTakenUp && verb !== 'ping') {
      throw MigrationNotRunning('the process that takes up this migration has not done so', {
        hint: 'What keeps it from that, it says itself, or holdfast migrate status. Try again when it runs.',
      });
    }
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
        return await this.#undo(withinMs ?? cutOverWithinMs);
      case 'finish':
        return await this.#finish(release === true);
      case 'abort':
        return await this.#abort();
      default:
        throw new TypeError(`no such question: ${String(verb)}`);
    }
  }

  #startStreams(): void {
    this.#streams.start();
    this.#phase = 'running';
  }

  async #pause(): Promise<Phase> {
    if (this.#phase === 'running') {
      await this.#streams.stop();
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
    await this.#old.rehearse();
    const target = this.#connectTarget();
    const begin = performance.now();
    try {
      await gates.hold(withinMs);
      const { plan } = this.#options;
      const compares =
        plan.isAlone && plan.sources.every(({ match, types }) => match.length === 0 && types.length === 0);
      const positions = plan.method === 'scan' ? 0 : this.#runs.length;
      const keys = await cutOver({ sources: this.#runs, target, compares, positions, withinMs });
      this.#old.keep();
      // One direction ends before the other begins.
      await this.#streams.stop();
      await this.#old.note();
      this.#gates = gates;
      this.#phase = 'cut-over';
      // Whoever takes this up must know it before the first client writes at the new side.
      await this.#writeProgress();
      const notMoved = await gates.move('members');
      const heldMs = performance.now() - begin;
      // Clients that wait at the old side for a gate to take them along would be refused there.
      if (notMoved.length === 0) await this.#old.begin();
      await this.#tick();
      return { heldMs, keys, notMoved, notFollowed: this.#old.progress.notFollowed };
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
    const notMoved = await this.#gates.move('members');
    const heldMs = performance.now() - begin;
    if (notMoved.length === 0) await this.#old.begin();
    return { heldMs, keys: null, notMoved, notFollowed: this.#old.progress.notFollowed };
  }

  /**
   * Behind a process that ended in between: the old side is kept closed. Where gates were to take the clients away and none
   * has, they are all at the old side still, which may have taken writes since: then there was no cut-over.
   */
  async #cutOverAgain(before: Progress): Promise<void> {
    const gates = new FrontGates(before.gates);
    const mayBeUndone = before.gates.length > 0 && (await gates.areBefore());
    await this.#old.takeUp(before);
    if (mayBeUndone) return await this.#reopen();
    this.#gates = gates;
    this.#phase = 'cut-over';
    this.#isTakenUp = true;
    const notMoved = await gates.move('members');
    if (notMoved.length === 0) await this.#old.begin();
  }

  /** The old side takes writes, and is followed. */
  async #reopen(): Promise<void> {
    this.#isTakenUp = true;
    this.#startStreams();
    await this.#old.release();
    this.#gates = new FrontGates([]);
  }

  async #undo(withinMs: number): Promise<Phase> {
    this.#refuseUnlessCutOver();
    if (this.#old.follows) await this.#turnBack(withinMs);
    else await this.#takeBack();
    await this.#reopen();
    await this.#tick();
    return this.#phase;
  }

  /**
   * What was written at the new side is at the old one, and clients of gates are there.
   * @throws CUT_OVER_NOT_NOW, and nothing has changed
   */
  async #turnBack(withinMs: number): Promise<void> {
    await this.#gates.hold(withinMs);
    try {
      await this.#old.turn(withinMs);
      // Gates say themselves where their clients are; without, those who write there directly may from here on.
      if (this.#gates.sockets.length === 0) this.#phase = 'running';
      await this.#writeProgress();
      await this.#old.unlock();
      await this.#takeBack();
    } catch (error) {
      this.#phase = 'cut-over';
      await this.#gates.move('members');
      await this.#gates.release();
      await this.#old.begin();
      throw error;
    }
  }

  /** Clients of gates go back to the old side, which does not take their writes yet. @throws CUT_OVER_NOT_NOW */
  async #takeBack(): Promise<void> {
    const stayed = await this.#gates.move('predecessor');
    if (stayed.length === 0) return;
    throw CutOverNotNow(`clients stay at the new side: ${stayed.join('; ')}`, {
      hint: 'The old side is still held. Try again when those gates answer.',
    });
  }

  async #finish(release: boolean): Promise<{ open: string[]; left: string | null }> {
    this.#refuseUnlessCutOver();
    const open = release ? await this.#old.release() : await this.#old.close();
    const left = await this.#forget();
    this.#end('finished');
    return { open, left };
  }

  /**
   * @returns `missing`: why the old side has not everything that was written at the new one; null when it has, or never
   * followed it
   */
  async #abort(): Promise<{ missing: string | null; left: string | null }> {
    let missing: string | null = null;
    const wasOver = this.#phase === 'cut-over';
    if (wasOver && this.#old.follows) {
      missing = await this.#turnBack(cutOverWithinMs).then(() => null, errorText);
    }
    await this.#streams.stop();
    if (wasOver) await this.#old.unlock();
    await this.#takeBack();
    await this.#old.release();
    const left = await this.#forget();
    this.#end('aborted');
    return { missing, left };
  }

  /** Of files nothing follows, and nobody writes there: when they are copied, that was it. */
  async #finishFiles(): Promise<void> {
    await this.#tick();
    const left = await this.#forget();
    this.#end('finished');
    if (left !== null) throw new Error(left);
  }

  #refuseUnlessCutOver(): void {
    if (this.#phase === 'cut-over') return;
    throw CutOverNotNow(`this migration is ${this.#phase}: there was no cut-over`, {
      hint: 'holdfast migrate cutover makes it; holdfast migrate abort gives the migration up.',
    });
  }

  async #forget(): Promise<string | null> {
    const { plan, paths, target } = this.#options;
    this.#isForgotten = true;
    for (const list of this.#lists) await list.close();
    return await forgetMigration(plan, paths, target);
  }

  #connectTarget(): RedisConnection {
    return new RedisConnection({ ...this.#options.target, timeoutMs: askMs });
  }

  async #tick(): Promise<void> {
    // What can't be asked now is asked again in a second; the lag then shows what was known.
    await Promise.allSettled([...this.#runs.map((run) => run.look()), this.#old.look()]);
    if (!this.#hasProgress) return;
    this.#options.onProgress(this.#progress());
    await this.#writeProgress();
  }

  /** What was finished or aborted leaves none; what was not taken up has another process's. */
  get #hasProgress(): boolean {
    return this.#isTakenUp && !this.#isForgotten;
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
        return { ...source, problem: this.#old.problem ?? problem };
      }),
      ...this.#old.progress,
    };
  }

  async #leave(): Promise<void> {
    for (const run of this.#runs) run.close();
    this.#lag?.close();
    for (const list of this.#lists) await list.close();
    await this.#turn;
    if (this.#hasProgress) await this.#writeProgress();
  }
}

function oldSideOf(options: MigrationOptions, runs: readonly FollowedSource[]): OldSide {
  const { plan, paths, sources, target, targetAsSource, loads } = options;
  const why = whyNotBack(plan);
  if (why !== null) return new OldSide(runs, null, why);
  const closed = new ClosedUsers(paths.closed);
  const [oldSide] = sources;
  if (oldSide === undefined || oldSide.kind === 'finite') throw new TypeError('a file is followed by nobody');
  const sides = { oldSide, newSide: targetAsSource, target };
  return new OldSide(runs, new WayBack({ id: streamId(plan, 0), ...sides, loads, closed }), null);
}
