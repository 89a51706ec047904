/**
 * The last so many samples of figures by name, in a ring: bounded however long the agent runs. What is not known is NaN
 * here and null outside. Figures are kept in 32 bits, and told to three decimals: charts need no more.
 */
export type Figures = Readonly<Record<string, number | null>>;

export class Samples {
  readonly #capacity: number;
  readonly #at: Float64Array;
  readonly #columns = new Map<string, Float32Array>();
  /** How many were ever added. */
  #added = 0;

  constructor(capacity: number, names: readonly string[]) {
    this.#capacity = capacity;
    this.#at = new Float64Array(capacity);
    for (const name of names) this.#columns.set(name, new Float32Array(capacity));
  }

  /** When the newest was taken; null before the first. */
  get newestMs(): number | null {
    return this.#added === 0 ? null : (this.#at[(this.#added - 1) % this.#capacity] as number);
  }

  /** @param atMs Unix ms; one that is not after the newest, as when the clock was set back, is left out. */
  add(atMs: number, figures: Figures): void {
    const newest = this.newestMs;
    if (newest !== null && atMs <= newest) return;
    const index = this.#added % this.#capacity;
    this.#at[index] = atMs;
    for (const [name, column] of this.#columns) column[index] = figures[name] ?? Number.NaN;
    this.#added += 1;
  }

  /** Everything from one time to another, oldest first, in columns. */
  read(fromMs: number, toMs: number): { at: number[]; columns: Map<string, (number | null)[]> } {
    const kept = Math.min(this.#added, this.#capacity);
    const wanted: number[] = [];
    // From the newest back: who looks on wants the last one or two.
    for (let each = this.#added - 1; each >= this.#added - kept; each--) {
      const index = each % this.#capacity;
      const at = this.#at[index] as number;
      if (at < fromMs) break;
      if (at <= toMs) wanted.push(index);
    }
    wanted.reverse();
    const columns = new Map(
      [...this.#columns].map(([name, column]) => [
        name,
        wanted.map((index) => {
          const value = column[index] as number;
          return Number.isNaN(value) ? null : Math.round(value * 1000) / 1000;
        }),
      ]),
    );
    return { at: wanted.map((index) => this.#at[index] as number), columns };
  }
}
