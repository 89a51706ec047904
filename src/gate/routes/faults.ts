/**
 * Faults made on purpose, for tests of applications: some of the requests that go to a route wait first, or are answered with an
 * error and go nowhere, or both. Which ones is drawn once for each request; of several faults that fit the first one
 * drawn counts.
 */
import type { RouteFault } from '../config.ts';

/** What becomes of one request. */
export interface Drawn {
  delayMs: number;
  /** Its answer; null: it is sent. */
  error: string | null;
}

const nothing: Drawn = { delayMs: 0, error: null };

/** @param name in small letters, subcommands as `client|list`. @param draw from 0 to 1, a new one each time */
export function drawFault(faults: readonly RouteFault[], name: string, draw: () => number): Drawn {
  const [first = name] = name.split('|');
  const found = faults.find(
    ({ commands, percentage }) =>
      (commands.length === 0 || commands.includes(first)) && draw() * 100 < percentage,
  );
  return found === undefined ? nothing : { delayMs: found.delayMs, error: found.error };
}

/** Those of one route, and how often each kind came. */
export class RouteFaults {
  readonly #faults: readonly RouteFault[];
  #delayed = 0;
  #failed = 0;

  constructor(faults: readonly RouteFault[]) {
    this.#faults = faults;
  }

  get counts(): { delayed: number; failed: number } {
    return { delayed: this.#delayed, failed: this.#failed };
  }

  draw(name: string): Drawn {
    const drawn = drawFault(this.#faults, name, Math.random);
    if (drawn.delayMs > 0) this.#delayed++;
    if (drawn.error !== null) this.#failed++;
    return drawn;
  }
}
