/** A minute of samples as one: the mean, or the most where a peak is what counts. */
import type { Figures } from './samples.ts';

export class Minute {
  readonly #isPeak: (name: string) => boolean;
  #startedMs: number | null = null;
  readonly #totals = new Map<string, { count: number; value: number }>();

  constructor(isPeak: (name: string) => boolean) {
    this.#isPeak = isPeak;
  }

  /** Takes a sample. @returns the minute before, when this one begins another; its time is where it began. */
  add(atMs: number, figures: Figures): { atMs: number; figures: Figures } | null {
    const startMs = Math.floor(atMs / 60_000) * 60_000;
    const done = this.#startedMs !== null && this.#startedMs !== startMs ? this.#end(this.#startedMs) : null;
    this.#startedMs = startMs;
    for (const [name, value] of Object.entries(figures)) if (value !== null) this.#note(name, value);
    return done;
  }

  #note(name: string, value: number): void {
    const before = this.#totals.get(name);
    if (before === undefined) this.#totals.set(name, { count: 1, value });
    else if (this.#isPeak(name)) before.value = Math.max(before.value, value);
    else {
      before.count += 1;
      before.value += value;
    }
  }

  #end(atMs: number): { atMs: number; figures: Figures } {
    const figures = Object.fromEntries(
      [...this.#totals].map(([name, { count, value }]) => [name, value / count]),
    );
    this.#totals.clear();
    return { atMs, figures };
  }
}
