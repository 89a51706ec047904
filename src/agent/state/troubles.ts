/** What is wrong on this host beside what its processes show, a sentence each, for `status`: until it is over. */
export class Troubles {
  readonly #sentences = new Map<string, string>();

  /** @param what it is about. @param sentence null when that is over. @returns whether that is news. */
  note(what: string, sentence: string | null): boolean {
    if (sentence === (this.#sentences.get(what) ?? null)) return false;
    if (sentence === null) this.#sentences.delete(what);
    else this.#sentences.set(what, sentence);
    return true;
  }

  has(what: string): boolean {
    return this.#sentences.has(what);
  }

  get all(): readonly string[] {
    return [...this.#sentences.values()];
  }
}

/** Of what colleagues are told. */
const most = 20;
const longest = 1000;

export function cutTroubles(sentences: readonly string[]): string[] {
  return sentences.slice(0, most).map((each) => each.slice(0, longest));
}
