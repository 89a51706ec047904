import type { EventLog } from './event-log.ts';

/** Counts the events of each kind from now on: the agent's life, not the deployment's. */
export class EventTally {
  readonly #counts = new Map<string, number>();

  constructor(events: EventLog) {
    events.listen(({ kind }) => this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1));
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
