/** One trouble that is looked for again and again: the log has it when it comes, when it becomes another, and when it is over. */
export class Trouble {
  readonly #log: (text: string) => void;
  #told: string | null = null;

  constructor(log: (text: string) => void) {
    this.#log = log;
  }

  /** It is there. */
  is(text: string): void {
    if (text !== this.#told) this.#log(text);
    this.#told = text;
  }

  /** It is not there, or not any more: then the log has `text`. */
  isOver(text: string): void {
    if (this.#told !== null) this.#log(text);
    this.#told = null;
  }
}
