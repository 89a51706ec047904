import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What one client let go of counts from here on: less is collected with the rest. */
const largeBytes = 1024 * 1024;
/** So much is worth a collection of its own. */
const worthBytes = 64 * 1024 * 1024;
/** Others that go at the same time are collected together. */
const togetherMs = 1000;
/** A collection stops everybody for a moment, so a client that comes again and again must not cause one each time. */
const betweenMs = 10_000;

/**
 * Gives memory back that clients had when they went. V8 frees the memory of a buffer when it next collects, and it
 * collects because something is allocated: a gate whose large clients have gone may have their memory for minutes.
 */
export class LetGo {
  readonly #collect: () => void;
  #bytes = 0;
  #collectedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(collect: () => void = collectGarbage) {
    this.#collect = collect;
  }

  /** A client is gone, and so are `bytes` that were kept for it. */
  note(bytes: number): void {
    if (bytes < largeBytes) return;
    this.#bytes += bytes;
    if (this.#bytes < worthBytes || this.#timer !== null) return;
    const waitMs = Math.max(togetherMs, this.#collectedAt + betweenMs - performance.now());
    this.#timer = setTimeout(() => this.#run(), waitMs).unref();
  }

  #run(): void {
    this.#timer = null;
    this.#bytes = 0;
    this.#collectedAt = performance.now();
    this.#collect();
  }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
}
