import { Buffer } from 'node:buffer';
import { introduce, Swallow } from '../upstream/open-upstream.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Client } from './client.ts';

const againMs = 5;

/** What the server knows the other client's connection by; `wait`: it is about to get one; null: there is no such client. */
export function redirectTarget(client: Client, id: number, own: Upstream): number | 'wait' | null {
  const { told } = client.session.tracking;
  if (told !== null && told !== id) endRedirect(client);
  const peer = peerOf(client, id);
  if (peer === null || peer.closing) return null;
  const at = peer.place.own;
  if (peer !== client) {
    client.session.tracking.tellTo(id);
    peer.session.tracking.sources.add(client.id);
    // What it is told must not come into the middle of an answer on a connection that it is leaving.
    if (peer.inFlight > 0 && peer.place.current !== at) {
      setTimeout(() => client.pump(), againMs);
      return 'wait';
    }
  }
  // What it is told comes on a connection of its own, at the server that the keys were read at.
  if (at === null) peer.place.preferring(own.target, () => client.router.stand(peer));
  else if (at.target !== own.target) return null;
  if (at?.ready !== true) return 'wait';
  if (peer !== client) at.keepFromOthers();
  const { id: known, introduced } = at.atServer;
  if (known !== null || introduced) return known;
  introduceOwn(peer, at);
  return 'wait';
}

/**
 * Has the client's own connection asked for its id, if nobody knows it; whoever waits for that goes on. What comes
 * before anything behind which it can't be asked any more: a subscriber of RESP2 is refused HELLO, and MULTI queues it.
 */
export function introduceOwn(client: Client, own: Upstream): void {
  introduce(own, client.session, `holdfast-${client.router.config.id}`, () => {
    client.pump();
    releaseSources(client);
  });
}

function peerOf(client: Client, id: number): Client | null {
  for (const each of client.router.clients) if (each.id === id) return each;
  return null;
}

/** What this client tracks is told to nobody else any more: its peer needs no connection for that. */
export function endRedirect(client: Client): void {
  const { told } = client.session.tracking;
  client.session.tracking.tellTo(null);
  const peer = told === null ? null : peerOf(client, told);
  if (peer?.session.tracking.sources.delete(client.id)) client.router.giveBack(peer);
}

/** Whoever has its changes told to this client, which is gone, goes on. */
export function releaseSources(client: Client): void {
  for (const id of client.session.tracking.sources) peerOf(client, id)?.pump();
}

/** The client has a new connection of its own, with its session on it: what it and others track is put right. */
export function restoreTracking(client: Client): void {
  const { tracking } = client.session;
  if (tracking.on) restoreOne(client);
  for (const id of tracking.sources) {
    const source = peerOf(client, id);
    if (source === null) tracking.sources.delete(id);
    else {
      if (source.session.tracking.redirect === client.id) restoreOne(source);
      // It may wait for this connection.
      source.pump();
    }
  }
}

function restoreOne(client: Client): void {
  const { own } = client.place;
  const { tracking } = client.session;
  const { redirect } = tracking;
  // What needs no other connection was restored with the session.
  if (redirect === null) flush(client);
  else if (own?.ready) {
    const id = redirectTarget(client, redirect, own);
    // When the other has its connection, this comes by again.
    if (typeof id !== 'number') return;
    for (const request of tracking.requests(id))
      own.send(null, request, 0, request.length, 1, false, new Swallow());
    const peer = peerOf(client, redirect);
    if (peer !== null) flush(peer);
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
