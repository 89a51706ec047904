/** What the page knows of the deployment, and how it stands with the agent. */
import type { ApiSession } from '../../../src/api/access.ts';
import type { ApiEvent } from '../../../src/api/events.ts';
import type { ApiJobs } from '../../../src/api/jobs.ts';
import type { ApiView } from '../../../src/api/view.ts';
import { Store } from './store.ts';

export type Connection =
  /** Nothing was ever answered. */
  | { state: 'connecting' }
  | { state: 'live' }
  /** It answered before, and does not now. */
  | { state: 'lost'; sinceMs: number; why: string }
  /** It answers, and wants a token first. */
  | { state: 'unauthorised' };

export interface State {
  connection: Connection;
  session: ApiSession | null;
  view: ApiView | null;
  /** When that came, by this browser's clock. */
  viewAtMs: number;
  /** Of all hosts, oldest first, bounded. */
  events: readonly ApiEvent[];
  jobs: ApiJobs;
}

export type StateStore = Store<State>;

export function newState(): StateStore {
  return new Store<State>({
    connection: { state: 'connecting' },
    session: null,
    view: null,
    viewAtMs: 0,
    events: [],
    jobs: { jobs: [], missing: [] },
  });
}

const mostEvents = 10_000;

/** What tells an event from all others: an agent whose state was thrown away counts from the start again. */
export function eventKey({ host, seq, at }: ApiEvent): string {
  return `${host} ${seq} ${at}`;
}

/**
 * Puts events among those that are there, by their time: those of another host may come a little later than they were.
 * Some may be sent twice. Both lists are oldest first.
 */
export function addEvents(there: readonly ApiEvent[], more: readonly ApiEvent[]): readonly ApiEvent[] {
  const oldest = more[0];
  if (oldest === undefined) return there;
  let from = there.length;
  while (from > 0 && Date.parse(there[from - 1]!.at) >= Date.parse(oldest.at)) from -= 1;
  const known = new Set(there.slice(from).map(eventKey));
  const fresh = more.filter((event) => !known.has(eventKey(event)));
  if (fresh.length === 0) return there;
  const tail = [...there.slice(from), ...fresh].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return [...there.slice(0, from), ...tail].slice(-mostEvents);
}
