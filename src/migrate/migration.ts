/**
 * A migration that runs: a stream for each source, what is told of them, and what other commands ask of it. Its state is
 * in the target (how far each stream is) and in its directory (what it is, and whether its change was made), so that it
 * may end at any moment and be taken up by another process.
 */
import { onAbort } from '../base/abort.ts';
import { errorText } from '../base/errors.ts';
import { RedisConnection } from '../redis/connection.ts';
import type { Abandoned } from './abandon.ts';
import type { OldSide } from './back/old-side.ts';
import { oldSideOf } from './back/old-side-of.ts';
import { noteMixed } from './back/without-way-back.ts';
import { type ControlRequest, ControlServer } from './control.ts';
import { type CutOverResult, cutOver } from './cut-over.ts';
import {
  gateMovedBefore,
  givenUpBefore,
  noCutOver,
  notConfirmed,
  nothingToPause,
  notTakenUp,
} from './errors.ts';
import type { FollowedSource } from './followed-source.ts';
import { forgetMigration } from './forget.ts';
import { FrontGates, haveMoved } from './front-gates.ts';
import type { KeyList } from './key-list.ts';
import type { MigrationEnd, MigrationOptions } from './migration-options.ts';
import { MigrationState } from './migration-state.ts';
import { type Phase, type Progress, readProgress } from './progress.ts';
import { sourceRuns } from './source-runs.ts';
import { SourceStreams } from './source-streams.ts';
import { TargetLag } from './target-lag.ts';
import { whatStays } from './what-stays.ts';

const everyMs = 1000;
const cutOverWithinMs = 10_000;
const askMs = 5000;

export class Migration {
  readonly #options: MigrationOptions;
  readonly #lists: readonly KeyList[];
  readonly #runs: readonly FollowedSource[];
  readonly #state: MigrationState;
  readonly #streams: SourceStreams;
  readonly #old: OldSide;
  readonly #lag: TargetLag | undefined;
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
    this.#old = oldSideOf(options, options.targetAsSource, runs);
    this.#state = new MigrationState({
      paths: options.paths,
      runs,
      old: this.#old,
      onProgress: options.onProgress,
    });
  }

  /**
   * Until it is finished or aborted, or the signal is.
   * @throws MIGRATION_RUNS; and what ends a stream for good: see `Stream.run`
   */
  async run(signal: AbortSignal): Promise<MigrationEnd> {
    const { paths } = this.#options;
    const before = await readProgress(paths);
    if (before?.change === 'abort') throw givenUpBefore();
    this.#state.set({ change: before?.change ?? null });
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
      if (this.#state.phase === 'running') this.#state.set({ phase: 'stopped' });
      return how;
    } catch (error) {
      this.#state.failure = error;
      // Whatever ends it: behind a cut-over nothing may go from the old side to the new one again.
      if (this.#state.phase !== 'cut-over') this.#state.set({ phase: 'failed' });
      await this.#streams.stop();
      throw error;
    } finally {
      stopListening();
      clearInterval(timer);
      // A change that is under way comes to its end, and is then left as it is.
      await control.close();
      await this.#streams.stop();
      await this.#old.stop();
      await this.#leave();
    }
  }

  #inTurn(request: ControlRequest): Promise<unknown> {
    const answer = this.#turn.then(() => this.#answer(request));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async #answer({ verb, withinMs, gates, release, withoutGates }: ControlRequest): Promise<unknown> {
    if (!this.#state.isTakenUp && verb !== 'ping') throw notTakenUp();
    switch (verb) {
      case 'ping':
        return 'pong';
      case 'pause':
        return await this.#pause();
      case 'resume':
        return await this.#resume(withoutGates ?? []);
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
    this.#state.set({ phase: 'running' });
  }

  async #pause(): Promise<Phase> {
    if (this.#state.phase === 'cut-over') throw nothingToPause();
    if (this.#state.phase === 'running') {
      await this.#streams.stop();
      this.#state.set({ phase: 'paused' });
      await this.#tick();
    }
    return this.#state.phase;
  }

  async #resume(withoutGates: readonly string[]): Promise<Phase> {
    if (withoutGates.length > 0) await this.#goOnWithout(withoutGates);
    if (this.#state.phase === 'paused') {
      this.#startStreams();
      await this.#tick();
    }
    return this.#state.phase;
  }

  async #goOnWithout(sockets: readonly string[]): Promise<void> {
    this.#state.refuseUnlessCutOver();
    const gates = await this.#state.gates.without(sockets);
    await this.#state.become({ gates });
    await this.#moveAndFollow();
    await this.#tick();
  }

  async #cutOver(withinMs: number, gates: FrontGates): Promise<CutOverResult> {
    if (this.#state.phase === 'cut-over' && gates.sockets.length > 0) return await this.#moveMore(gates);
    if (this.#state.phase !== 'running') throw noCutOver(this.#state.phase);
    if (!(await gates.areBefore())) throw gateMovedBefore();
    await gates.check();
    await this.#old.rehearse(performance.now() + withinMs);
    await this.#state.become({ change: 'cut-over' });
    const target = new RedisConnection({ ...this.#options.target, timeoutMs: askMs });
    const begin = performance.now();
    try {
      await gates.hold(withinMs);
      const { plan } = this.#options;
      const compares =
        plan.isAlone && plan.sources.every(({ match, types }) => match.length === 0 && types.length === 0);
      const positions = plan.method === 'scan' ? null : this.#runs.length;
      const keys = await cutOver({ sources: this.#runs, target, compares, positions, withinMs });
      await this.#close(gates, begin + withinMs);
      const notMoved = await this.#moveAndFollow(() => performance.now() - begin);
      return { ...notMoved, keys, notFollowed: this.#old.progress.notFollowed };
    } catch (error) {
      this.#state.set({ change: null });
      await gates.release();
      throw error;
    } finally {
      target.close();
    }
  }

  /**
   * Behind `cutOver`: from here on the old side takes no writes, and whoever takes this up knows it.
   * @throws CUT_OVER_NOT_NOW when that can't be noted, the new side takes no writes, or lacks some; then writers go on at the old side
   */
  async #close(gates: FrontGates, deadline: number): Promise<void> {
    this.#old.keep();
    // One direction ends before the other begins.
    await this.#streams.stop();
    try {
      await this.#old.note(deadline);
      // Whom the old side follows has it all.
      for (const run of this.#runs) await run.confirm().catch(notConfirmed);
      await this.#state.become({ phase: 'cut-over', change: null, gates, isMoved: false });
    } catch (error) {
      await this.#reopen();
      throw error;
    }
  }

  /**
   * Clients of the gates go to the new side, which the old one follows then: while a gate has clients there that it is to take
   * along, they would be refused.
   */
  async #moveAndFollow(sinceMs: () => number = () => 0): Promise<Pick<CutOverResult, 'heldMs' | 'notMoved'>> {
    const { gates, isMoved } = this.#state;
    const notMoved = await gates.move('members');
    const heldMs = sinceMs();
    this.#state.set({ isMoved: isMoved || notMoved.length < gates.sockets.length, notMoved });
    // Where it can't be written the gates say it, as long as they can be asked.
    await this.#state.tell();
    if (notMoved.length === 0) await this.#old.begin();
    await this.#tick();
    return { heldMs, notMoved };
  }

  /** Gates that were not moved at the cut-over, or not named then. */
  async #moveMore(gates: FrontGates): Promise<CutOverResult> {
    const begin = performance.now();
    const all = new FrontGates([...new Set([...this.#state.gates.sockets, ...gates.sockets])]);
    await this.#state.become({ gates: all });
    const moved = await this.#moveAndFollow(() => performance.now() - begin);
    return { ...moved, keys: null, notFollowed: this.#old.progress.notFollowed };
  }

  /**
   * Behind a process that ended in between: the old side is kept closed, unless it was finished, which remains to be done. Where
   * gates were to take the clients away and none has, they are all at the old side still, which may have taken writes since: then
   * there was no cut-over.
   */
  async #cutOverAgain(before: Progress): Promise<void> {
    if (before.change === 'finish') return this.#state.takeUp({ phase: 'cut-over' });
    const all = new FrontGates(before.gates);
    const gone = this.#options.withoutGates ?? [];
    const gates = gone.length === 0 ? all : await all.without(gone);
    const isKnown = all.sockets.length === 0 || before.isMoved;
    // Of a gate that can't be asked any more its note says whether it has moved its clients.
    const mayBeUndone = !isKnown && (await gates.areBefore()) && !(await haveMoved(gone));
    await this.#old.takeUp(before);
    if (mayBeUndone) return await this.#reopen();
    this.#state.takeUp({ phase: 'cut-over', gates, isMoved: before.isMoved });
    await this.#moveAndFollow();
    this.#state.set({ change: null });
  }

  /** The old side takes writes, and is followed. */
  async #reopen(): Promise<void> {
    // Another process may have paused it.
    if (this.#state.change !== null) this.#old.keep();
    this.#state.takeUp({});
    this.#startStreams();
    await this.#old.release();
    this.#state.set({ change: null, gates: new FrontGates([]), isMoved: false, notMoved: [] });
  }

  /** @returns whether what was written at the new side is at the old one */
  async #undo(withinMs: number): Promise<{ phase: Phase; wasFollowed: boolean }> {
    this.#state.refuseUnlessCutOver();
    await this.#state.gates.answer();
    await this.#state.become({ change: 'undo' });
    const wasFollowed = this.#old.follows;
    try {
      if (wasFollowed) await this.#turnBack(withinMs, () => this.#state.noteTurn());
      else {
        await noteMixed(this.#options.plan, this.#options.target);
        await this.#state.noteTurn();
        await this.#state.gates.takeBack();
      }
    } catch (error) {
      this.#state.set({ change: null });
      throw error;
    }
    await this.#reopen();
    await this.#tick();
    return { phase: this.#state.phase, wasFollowed };
  }

  /**
   * What was written at the new side is at the old one, and clients of gates are there.
   * @param note before anybody can write at the old side
   * @throws CUT_OVER_NOT_NOW, and nothing has changed
   */
  async #turnBack(withinMs: number, note: () => Promise<void>): Promise<void> {
    const { sockets } = this.#state.gates;
    try {
      await this.#state.gates.hold(withinMs);
      await this.#old.turn(withinMs);
      await note();
      await this.#old.unlock();
      await this.#state.gates.takeBack();
    } catch (error) {
      this.#state.set({ phase: 'cut-over', isMoved: sockets.length > 0 });
      await this.#state.gates.move('members');
      await this.#state.gates.release();
      await this.#old.begin();
      throw error;
    }
  }

  async #finish(release: boolean): Promise<{ open: string[]; left: string | null }> {
    this.#state.refuseUnlessCutOver();
    this.#state.set({ change: 'finish' });
    await this.#state.tell();
    const open = await this.#old.finish(release);
    const left = await this.#forget();
    this.#end('finished');
    return { open, left };
  }

  async #abort(): Promise<Abandoned> {
    const wasOver = this.#state.phase === 'cut-over';
    await this.#state.gates.answer();
    if (wasOver) {
      // It needs no room on the disk.
      this.#state.set({ change: 'undo' });
      await this.#state.tell();
    }
    const missing = wasOver ? await this.#turnedBack() : null;
    await this.#streams.stop();
    if (wasOver) {
      this.#state.set({ change: 'abort', phase: missing === null ? 'running' : 'cut-over' });
      await this.#state.tell();
    }
    const shut = wasOver ? await this.#old.unlock() : [];
    await this.#state.gates.takeBack();
    shut.push(...(await this.#old.release()));
    const { plan, paths, target } = this.#options;
    const stays = await whatStays(plan, paths, target);
    const left = [...new Set(shut), (await this.#forget()) ?? []].flat();
    this.#end('aborted');
    return { missing, left: left.length === 0 ? null : left.join('; '), stays };
  }

  /** @returns why the old side has not everything that was written at the new one; null when it has */
  async #turnedBack(): Promise<string | null> {
    if (!this.#old.follows)
      return this.#old.progress.notFollowed ?? 'the old side did not follow the new one';
    // It is forgotten in a moment: nobody needs the note, unless this ends before.
    return await this.#turnBack(cutOverWithinMs, () => this.#state.noteTurn().catch(() => {})).then(
      () => null,
      errorText,
    );
  }

  /** Of files nothing follows, and nobody writes there: when they are copied, that was it. */
  async #finishFiles(): Promise<void> {
    await this.#tick();
    const left = await this.#forget();
    this.#end('finished');
    if (left !== null) throw new Error(left);
  }

  async #forget(): Promise<string | null> {
    const { plan, paths, target } = this.#options;
    this.#state.forget();
    for (const list of this.#lists) await list.close();
    return await forgetMigration(plan, paths, target);
  }

  async #tick(): Promise<void> {
    // What can't be asked now is asked again in a second; the lag then shows what was known.
    await Promise.allSettled([...this.#runs.map((run) => run.look()), this.#old.look()]);
    await this.#state.tell();
  }

  async #leave(): Promise<void> {
    for (const run of this.#runs) run.close();
    this.#lag?.close();
    for (const list of this.#lists) await list.close();
    await this.#turn;
    await this.#state.leave();
  }
}
