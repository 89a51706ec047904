/**
 * The events of all hosts: this agent's own, and copies of what its colleagues noted, the newest of each. They stand by
 * their time, and those of one host always in their own order, also when its clock was set back.
 */
import { z } from 'zod';
import { type ApiEvent, eventSchema } from '../../api/events.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Position } from './positions.ts';

const keptOfEach = 1000;
const longestText = 2000;

interface Copy {
  /** The number of the newest that its agent had. */
  last: number;
  /** Oldest first. */
  events: ApiEvent[];
}

export class AllEvents {
  readonly #own: EventLog;
  readonly #host: string;
  readonly #copies = new Map<string, Copy>();
  readonly #listeners = new Set<(event: ApiEvent) => void>();

  constructor(own: EventLog, host: string) {
    this.#own = own;
    this.#host = host;
  }

  get position(): Position {
    return new Map([
      [this.#host, this.#own.last],
      ...[...this.#copies].map(([host, { last }]) => [host, last] as const),
    ]);
  }

  /** The number of the newest that is known of a colleague; 0 when none is. */
  lastOf(host: string): number {
    return this.#copies.get(host)?.last ?? 0;
  }

  /** Oldest first. Of a host that counts from the start again, and of one that the position does not name, all. */
  since(position: Position): ApiEvent[] {
    const beyond = (host: string, last: number) => {
      const seq = position.get(host) ?? 0;
      return seq > last ? 0 : seq;
    };
    const own = this.#own
      .since(beyond(this.#host, this.#own.last))
      .map((event) => ({ ...event, host: this.#host }));
    const others = [...this.#copies].map(([host, { last, events }]) => {
      const after = beyond(host, last);
      return events.filter(({ seq }) => seq > after);
    });
    return byTime([own, ...others]);
  }

  /**
   * Takes what a colleague noted since what is known. What is no event is left out: it comes from another machine.
   * @param last the number of its newest
   */
  take(host: string, last: number, answer: unknown): void {
    const known = last < this.lastOf(host) ? { last: 0, events: [] } : this.#copies.get(host);
    const told = z.array(z.unknown()).max(keptOfEach).safeParse(answer).data ?? [];
    const fresh = told.flatMap((each): ApiEvent[] => {
      const { data } = eventSchema.safeParse(each);
      if (data === undefined || data.seq > last || data.seq <= (known?.last ?? 0)) return [];
      return [{ ...data, host, text: data.text.slice(0, longestText) }];
    });
    const events = [...(known?.events ?? []), ...fresh].slice(-keptOfEach);
    this.#copies.set(host, { last, events });
    for (const event of fresh) for (const listener of [...this.#listeners]) listener(event);
  }

  /** Hears of each as this agent does. @returns what ends the listening. */
  listen(listener: (event: ApiEvent) => void): () => void {
    this.#listeners.add(listener);
    const stop = this.#own.listen((event) => listener({ ...event, host: this.#host }));
    return () => {
      this.#listeners.delete(listener);
      stop();
    };
  }
}

function byTime(lists: readonly (readonly ApiEvent[])[]): ApiEvent[] {
  const timed = lists.flatMap((events) => {
    let atMs = 0;
    return events.map((event) => {
      atMs = Math.max(atMs, Date.parse(event.at));
      return { atMs, event };
    });
  });
  return timed.sort((a, b) => a.atMs - b.atMs).map(({ event }) => event);
}
