import { Buffer } from 'node:buffer';
import { Swallow } from '../upstream/open-upstream.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Client } from './client.ts';

/** The client that is told in the place of this one, and its connection, if that leads to the same server. */
export function redirectTarget(
  client: Client,
  id: number,
  own: Upstream,
): { peer: Client; id: number } | null {
  for (const peer of client.router.clients) {
    if (peer.id !== id) continue;
    const at = peer.place.own;
    return at?.ready && at.target === own.target && at.serverId !== null ? { peer, id: at.serverId } : null;
  }
  return null;
}

/** The client has a new connection of its own, with its session on it: what it and others track is put right. */
export function restoreTracking(client: Client): void {
  const { tracking } = client.session;
  if (tracking.on) restoreOne(client);
  for (const id of tracking.sources) {
    const source = [...client.router.clients].find((each) => each.id === id);
    if (source === undefined) tracking.sources.delete(id);
    else restoreOne(source);
  }
}

function restoreOne(client: Client): void {
  const { own } = client.place;
  const { tracking } = client.session;
  const { redirect } = tracking;
  // What needs no other connection was restored with the session.
  if (redirect === null) flush(client);
  else if (own?.ready) {
    const target = redirectTarget(client, redirect, own);
    if (target === null) return;
    for (const request of tracking.requests(target.id))
      own.send(null, request, 0, request.length, 1, false, new Swallow());
    flush(target.peer);
  }
}

const flushes = {
  2: Buffer.from('*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n'),
  3: Buffer.from('>2\r\n$10\r\ninvalidate\r\n_\r\n'),
};

/** Tells it to forget what it remembers. In RESP2 only a subscriber can be told anything. */
function flush(client: Client): void {
  const { protocol, channels } = client.session;
  if (protocol === 2 && !channels.has('__redis__:invalidate')) return;
  const bytes = flushes[protocol];
  client.write(bytes, 0, bytes.length);
}
