/** Which page is shown: `#/members/redis-1`. */
import { useSyncExternalStore } from 'react';

export const pageNames = [
  ...(['overview', 'time', 'events', 'members', 'sentinels', 'gates'] as const),
  ...(['doctor', 'backups', 'drills', 'moves', 'spec'] as const),
] as const;
export type PageName = (typeof pageNames)[number];

export interface Route {
  page: PageName;
  /** Of whatever the page shows in detail; null for none. */
  id: string | null;
}

export function parseRoute(hash: string): Route {
  const [name = '', id = ''] = hash.replace(/^#\/?/, '').split('/');
  const page = pageNames.find((each) => each === name) ?? 'overview';
  try {
    return { page, id: id === '' ? null : decodeURIComponent(id) };
  } catch {
    return { page, id: null };
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
