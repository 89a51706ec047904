import type { Output } from './output.ts';

const redrawMs = 200;
const plainLineMs = 10_000;

/** One line that is redrawn on a terminal; elsewhere a line every ten seconds. Silent on a job that is quick. */
export class ProgressLine {
  readonly #output: Output;
  #saidMs = performance.now();
  #hasLine = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Cheap enough to be called often: `text` is made only when it is shown. */
  show(text: () => string): void {
    const nowMs = performance.now();
    if (nowMs - this.#saidMs < (this.#output.live ? redrawMs : plainLineMs)) return;
    this.#saidMs = nowMs;
    if (!this.#output.live) {
      this.#output.note(text());
      return;
    }
    this.#output.redraw(text());
    this.#hasLine = true;
  }

  /** Clears the line; to be called before anything else is said. */
  done(): void {
    if (this.#hasLine) this.#output.redraw('');
    this.#hasLine = false;
  }
}
