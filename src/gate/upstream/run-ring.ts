import { type ReplySink, Run } from './run.ts';

/** A queue of runs in a ring that grows. A run given back by `shift` stays as it is until the ring comes round. */
export class RunRing {
  #runs: Run[] = Array.from({ length: 16 }, () => new Run());
  #head = 0;
  #size = 0;
  #sent = 0;
  #requestsSent = 0;

  get size(): number {
    return this.#size;
  }

  /** How many of the runs, from the first one on, have been written to the server. */
  get sent(): number {
    return this.#sent;
  }

  /** And the requests in those. */
  get requestsSent(): number {
    return this.#requestsSent;
  }

  /** The first run that was not is being written. */
  markSent(): void {
    this.#requestsSent += this.at(this.#sent).count;
    this.#sent++;
  }

  /** So many requests more are in the last run, and were written. */
  extend(requests: number): void {
    this.at(this.#size - 1).extend(requests);
    this.#requestsSent += requests;
  }

  /** The run to fill in, already at the end of the queue. */
  push(): Run {
    if (this.#size === this.#runs.length) this.#grow();
    const run = this.#runs[(this.#head + this.#size) & (this.#runs.length - 1)] as Run;
    this.#size++;
    return run;
  }

  peek(): Run | undefined {
    return this.#size === 0 ? undefined : this.#runs[this.#head];
  }

  get last(): Run | undefined {
    return this.#size === 0 ? undefined : this.at(this.#size - 1);
  }

  at(index: number): Run {
    return this.#runs[(this.#head + index) & (this.#runs.length - 1)] as Run;
  }

  find(test: (run: Run) => boolean): Run | undefined {
    for (let index = 0; index < this.#size; index++) if (test(this.at(index))) return this.at(index);
    return undefined;
  }

  some(test: (run: Run) => boolean): boolean {
    return this.find(test) !== undefined;
  }

  /** Takes out the runs of this client that were not sent, telling of each; the others move up. Returns how many. */
  dropUnsent(client: ReplySink, onDropped: (run: Run) => void): number {
    const mask = this.#runs.length - 1;
    let to = this.#sent;
    for (let from = to; from < this.#size; from++) {
      const run = this.at(from);
      if (run.client === client) {
        onDropped(run);
        continue;
      }
      this.#runs[(this.#head + from) & mask] = this.at(to);
      this.#runs[(this.#head + to) & mask] = run;
      to++;
    }
    const dropped = this.#size - to;
    for (let index = to; index < this.#size; index++) this.at(index).forget();
    this.#size = to;
    return dropped;
  }

  /** Takes the first one off and lets its memory go. */
  shift(): void {
    const run = this.#runs[this.#head] as Run;
    if (this.#sent > 0) {
      this.#sent--;
      this.#requestsSent -= run.count;
    }
    run.forget();
    this.#head = (this.#head + 1) & (this.#runs.length - 1);
    this.#size--;
  }

  #grow(): void {
    const old = this.#runs;
    const runs = Array.from({ length: this.#size }, (_, index) => this.at(index));
    while (runs.length < old.length * 2) runs.push(new Run());
    this.#runs = runs;
    this.#head = 0;
  }
}
