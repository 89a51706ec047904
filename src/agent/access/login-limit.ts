/** How often a wrong token may be tried: so often a minute from one address, and so often from all. */
const windowMs = 60_000;
const perAddress = 5;
const fromAll = 50;

export class LoginLimit {
  /** Wrong ones, oldest first. */
  #wrong: { address: string; atMs: number }[] = [];

  /** How long this address has to wait before it may try again, in ms; 0 when it may. */
  waitMs(address: string, nowMs: number): number {
    this.#wrong = this.#wrong.filter(({ atMs }) => atMs > nowMs - windowMs);
    const own = this.#wrong.filter((each) => each.address === address);
    const until = (tries: readonly { atMs: number }[], most: number) => {
      const first = tries[tries.length - most];
      return first === undefined ? 0 : first.atMs + windowMs - nowMs;
    };
    return Math.max(until(own, perAddress), until(this.#wrong, fromAll));
  }

  noteWrong(address: string, nowMs: number): void {
    this.#wrong.push({ address, atMs: nowMs });
    // As many are refused before they are noted.
    if (this.#wrong.length > fromAll) this.#wrong.shift();
  }
}
