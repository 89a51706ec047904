/** What the page knows of the deployment, and how it stands with the agent. */
import type { ApiSession } from '../../../src/api/access.ts';
import type { ApiEvent } from '../../../src/api/events.ts';
import type { ApiJob } from '../../../src/api/jobs.ts';
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
  /** Oldest first, bounded. */
  events: readonly ApiEvent[];
  /** Newest first. */
  jobs: readonly ApiJob[];
}

export type StateStore = Store<State>;

export function newState(): StateStore {
  return new Store<State>({
    connection: { state: 'connecting' },
    session: null,
    view: null,
    viewAtMs: 0,
    events: [],
    jobs: [],
  });
}

const mostEvents = 10_000;

/** Puts events behind those that are there; the stream may send some twice after a reconnect. */
export function addEvents(there: readonly ApiEvent[], more: readonly ApiEvent[]): readonly ApiEvent[] {
  const last = there.at(-1)?.seq ?? -1;
  // An agent whose state was thrown away counts from the start again.
  const isRestart =
    more.length > 0 && more.every(({ seq }) => seq <= last) && isLater(more[0]!, there.at(-1)!);
  const fresh = isRestart ? more : more.filter(({ seq }) => seq > last);
  if (fresh.length === 0) return there;
  return [...there, ...fresh].slice(-mostEvents);
}

function isLater(one: ApiEvent, other: ApiEvent): boolean {
  return Date.parse(one.at) > Date.parse(other.at);
}
