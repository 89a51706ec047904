/** The streams of all sources, forward: run and ended together. */
import type { FollowedSource } from './followed-source.ts';

export class SourceStreams {
  readonly #runs: readonly FollowedSource[];
  readonly #fail: (error: unknown) => void;
  readonly #done: () => void;
  #running: { stop: AbortController; ended: Promise<unknown> } | undefined;

  /** @param fail is told what no later attempt could change. @param done is called when all of them had an end, and are there */
  constructor(runs: readonly FollowedSource[], fail: (error: unknown) => void, done: () => void) {
    this.#runs = runs;
    this.#done = done;
    this.#fail = fail;
  }

  start(): void {
    if (this.#running !== undefined) return;
    const stop = new AbortController();
    const ended = Promise.all(this.#runs.map((run) => run.run(stop.signal)));
    ended.then(
      () => stop.signal.aborted || this.#done(),
      (error) => this.#fail(error),
    );
    this.#running = { stop, ended };
  }

  /** What was read is applied behind it, and nothing more comes. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.stop.abort(new Error('the migration stops'));
    await Promise.allSettled([running?.ended]);
  }
}
