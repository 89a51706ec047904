/** Redis had to bound its own list of error kinds too: a script may make up as many as it likes. */
const kindsOfErrors = 64;

/** How often errors came, by their first word. */
export class ErrorKinds {
  readonly #counts = new Map<string, number>();

  /** @param kind short: whoever reads it off a reply sees to that */
  add(kind: string): void {
    const known = this.#counts.get(kind);
    if (known !== undefined) this.#counts.set(kind, known + 1);
    else if (this.#counts.size < kindsOfErrors) this.#counts.set(kind, 1);
    else this.#counts.set('OTHER', (this.#counts.get('OTHER') ?? 0) + 1);
  }

  read(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
