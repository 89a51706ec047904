/**
 * Whether it may be left out to ask how long each value is, which costs a server a command a key. SCAN and RANDOMKEY give keys
 * by their hashes, which know nothing of the values: those that come next are as good as drawn by chance. Where ten thousand in a
 * row were short, a long one is hardly among the next thousand; if it is, reading it costs its server once more what it costs
 * anyway. Pure.
 */
const enough = 10_000;
/** So many of them at a time are no more than may be read at once. */
const shortBytes = 8 * 1024;

export class ShortValues {
  #inARow = 0;

  get areExpected(): boolean {
    return this.#inARow >= enough;
  }

  saw(bytes: number): void {
    this.#inARow = bytes > shortBytes ? 0 : this.#inARow + 1;
  }

  /** Of another database nothing is known. */
  forget(): void {
    this.#inARow = 0;
  }
}
