/** The one state of this page, and what keeps it. */
import { Feed } from './feed.ts';
import { newState, type State } from './state.ts';
import { useStore } from './store.ts';

export const pageState = newState();
export const feed = new Feed(pageState);

export function usePage<S>(select: (state: State) => S): S {
  return useStore(pageState, select);
}

/** What the agent's clock says, as far as it is known: this browser's may be off. */
export function agentNowMs(): number {
  const { view, viewAtMs } = pageState.value;
  return view === null ? Date.now() : Date.parse(view.at) + (Date.now() - viewAtMs);
}
