/** Which page is shown, and what of it: `#/members/redis-1`, `#/events?find=switchover`. */
import { useSyncExternalStore } from 'react';

export const pageNames = [
  ...(['overview', 'time', 'events', 'members', 'sentinels', 'gates'] as const),
  ...(['doctor', 'backups', 'drills', 'moves', 'spec'] as const),
] as const;
export type PageName = (typeof pageNames)[number];

export interface Route {
  page: PageName;
  /** What the address names instead of a page; null when it names one, or none. */
  noPage: string | null;
  /** Of whatever the page shows in detail; null for none. */
  id: string | null;
  /** What of it is looked for, or looked at. */
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = '', ...rest] = hash.replace(/^#\/?/, '').split('?');
  const [name = '', ...within] = path.split('/');
  const page = pageNames.find((each) => each === name);
  return {
    page: page ?? 'overview',
    noPage: page === undefined && name !== '' ? decoded(name) : null,
    id: decoded(within.join('/')) || null,
    query: new URLSearchParams(rest.join('?')),
  };
}

/** What can't be decoded is as it stands there. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

let known = { hash: '', route: parseRoute('') };

function current(): Route {
  const { hash } = window.location;
  // The same object while the address is the same.
  if (hash !== known.hash) known = { hash, route: parseRoute(hash) };
  return known.route;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}

/** Shows another address: "back" leads to the one before. */
export function go(hash: string): void {
  window.location.hash = hash;
}

/** The same in place of the one before: not every letter that is typed is a step to go back. */
export function goInstead(hash: string): void {
  window.history.replaceState(window.history.state, '', hash);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

/** What is looked for on a page, in its address as `find`: it can be sent to somebody, and is there again after a reload. */
export function useWanted(): readonly [wanted: string, set: (wanted: string) => void] {
  const wanted = useRoute().query.get('find') ?? '';
  return [wanted, find] as const;
}

function find(wanted: string): void {
  const [path] = window.location.hash.split('?');
  goInstead(wanted === '' ? `${path}` : `${path}?${new URLSearchParams({ find: wanted })}`);
}
