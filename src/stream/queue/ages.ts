/** When a stream was where, so that it can be said how long ago what waits was written. Pure. */
const most = 4096;
const leastApartMs = 1000;

export class Ages {
  #seen: { offset: number; atMs: number }[] = [];

  /** What came last ends there. @param atMs wall clock */
  saw(offset: number, atMs: number): void {
    const last = this.#seen.at(-1);
    if (last !== undefined && atMs >= last.atMs && atMs - last.atMs < leastApartMs) return;
    this.#seen.push({ offset, atMs });
    if (this.#seen.length > most) this.#seen = this.#seen.filter((_, index) => index % 2 === 0);
  }

  /** For how long what stands behind an offset has waited, in seconds; 0 when nobody can tell. */
  secondsBehind(offset: number, nowMs: number): number {
    while (this.#seen.length > 1 && this.#seen[0]!.offset <= offset) this.#seen.shift();
    const first = this.#seen[0];
    return first === undefined || first.offset <= offset
      ? 0
      : Math.max(0, Math.round((nowMs - first.atMs) / 1000));
  }

  clear(): void {
    this.#seen = [];
  }
}
