/** The signals that tell `up` to stop, from the moment that it begins: to start is a change that can be given up too. */
import { OperationAborted } from '../agent/errors.ts';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Name = (typeof names)[number];

export class StopSignals {
  readonly #aborter = new AbortController();
  #listener: (name: Name, again: boolean) => void = () => {};
  #first: Name | null = null;

  constructor() {
    for (const name of names) process.on(name, this.#received);
  }

  /** Aborted by the first of them. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** Tells of each that comes, and at once of the one that came already. */
  listen(listener: (name: Name, again: boolean) => void): void {
    this.#listener = listener;
    if (this.#first !== null) listener(this.#first, false);
  }

  readonly #received = (name: Name): void => {
    const again = this.#first !== null;
    this.#first ??= name;
    this.#aborter.abort(OperationAborted(`${name} came`));
    this.#listener(name, again);
  };
}
