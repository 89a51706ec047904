/**
 * How far behind its source a stream is. Pure.
 *
 * Bytes: what the source has beyond what is applied. Seconds: how long ago the source was where the stream is now, from
 * what was seen of the source each second.
 */
export interface Lag {
  bytes: number;
  seconds: number;
}

interface Seen {
  atMs: number;
  offset: number;
}

const keptMs = 3_600_000;

export class LagMeter {
  #seen: Seen[] = [];

  get sourceOffset(): number | null {
    return this.#seen.at(-1)?.offset ?? null;
  }

  /** How long ago the source was seen last, in ms; null when it never was. */
  silentMs(nowMs: number): number | null {
    const last = this.#seen.at(-1);
    return last === undefined ? null : nowMs - last.atMs;
  }

  /** The source was there at that time, which is monotonic. */
  saw(offset: number, atMs: number): void {
    const last = this.#seen.at(-1);
    // Another history counts from elsewhere.
    if (last !== undefined && offset < last.offset) this.#seen = [];
    if (last?.offset === offset) last.atMs = atMs;
    else this.#seen.push({ offset, atMs });
    while (this.#seen.length > 1 && this.#seen[0]!.atMs < atMs - keptMs) this.#seen.shift();
  }

  /** Null when the source was not seen yet, or nothing is applied. */
  at(applied: number | null): Lag | null {
    const last = this.#seen.at(-1);
    if (last === undefined || applied === null) return null;
    const bytes = Math.max(0, last.offset - applied);
    if (bytes === 0) return { bytes, seconds: 0 };
    const reached = this.#seen.findLast(({ offset }) => offset <= applied);
    const since = reached?.atMs ?? this.#seen[0]!.atMs;
    return { bytes, seconds: Math.round(last.atMs - since) / 1000 };
  }
}
