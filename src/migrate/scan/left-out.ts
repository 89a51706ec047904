/** Keys that the target can't have, each with why: counted all, kept so many. */
export class LeftOut {
  readonly shown: { db: number; key: Buffer; reason: string }[] = [];
  readonly #seen = new Set<string>();
  readonly #most: number;

  constructor(most = 10_000) {
    this.#most = most;
  }

  get count(): number {
    return this.#seen.size;
  }

  add(db: number, key: Buffer, reason: string): void {
    const name = `${db} ${key.toString('latin1')}`;
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    if (this.shown.length < this.#most) this.shown.push({ db, key: Buffer.from(key), reason });
  }

  has(db: number, key: Buffer): boolean {
    return this.#seen.has(`${db} ${key.toString('latin1')}`);
  }
}
