import { Buffer } from 'node:buffer';
import { writeRequest } from '../../resp/write.ts';
import { Swallow } from '../upstream/open-upstream.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Client } from './gate-client.ts';

/**
 * CLIENT TRACKING of one client, so that it can be put onto another server.
 *
 * - With BCAST, each request adds prefixes: all of them are restored.
 * - REDIRECT names a client by the id that the gate gave it; the server is told the id of that client's own connection,
 *   and told anew when either of the two has another connection.
 * - A new server does not know what the client remembers. So it is told to forget everything, as after FLUSHALL
 *   (`trackingInvalidateKeysOnFlush` in Redis's tracking.c).
 */
export class Tracking {
  /** What turned it on, as the client sent it. */
  #requests: Buffer[][] = [];
  /** Whose changed keys are told to this client. */
  readonly sources = new Set<Client>();

  get on(): boolean {
    return this.#requests.length > 0;
  }

  /** The client that is told in its place; null when it is told itself. */
  get redirect(): number | null {
    const ids = this.#requests.flatMap((args) => redirectIn(args) ?? []);
    return ids.at(-1) ?? null;
  }

  /** The server accepted CLIENT TRACKING with these arguments. */
  onAccepted(args: Buffer[]): void {
    const off = /^off$/i.test(args[2]?.toString('latin1') ?? '');
    const adds = args.some((arg) => /^bcast$/i.test(arg.toString('latin1')));
    if (off) this.#requests = [];
    else this.#requests = adds ? [...this.#requests, args] : [args];
  }

  /** The requests for a server that knows the other client's connection by this id; null: there is no other. */
  requests(redirect: number | null): Buffer[] {
    return this.#requests.map((args) => withRedirect(args, redirect));
  }
}

/** The id after REDIRECT; null when there is none. */
export function redirectIn(args: Buffer[]): number | null {
  const at = args.findIndex((arg, index) => index > 2 && /^redirect$/i.test(arg.toString('latin1')));
  const id = at < 0 ? '' : (args[at + 1]?.toString('latin1') ?? '');
  return /^[1-9]\d{0,15}$/.test(id) ? Number(id) : null;
}

export function withRedirect(args: Buffer[], id: number | null): Buffer {
  const at = args.findIndex((arg, index) => index > 2 && /^redirect$/i.test(arg.toString('latin1')));
  return writeRequest(
    args.map((arg, index) => (at > 0 && index === at + 1 && id !== null ? String(id) : arg)),
  );
}

/** The client that is told in the place of this one, and its connection, if that leads to the same server. */
export function redirectTarget(
  client: Client,
  id: number,
  own: Upstream,
): { peer: Client; id: number } | null {
  for (const peer of client.router.clients) {
    if (peer.id !== id) continue;
    const at = peer.own;
    return at?.ready && at.target === own.target && at.serverId !== null ? { peer, id: at.serverId } : null;
  }
  return null;
}

/** The client has a new connection of its own, with its session on it: what it and others track is put right. */
export function restoreTracking(client: Client): void {
  const { tracking } = client.session;
  if (tracking.on) restoreOne(client);
  for (const source of tracking.sources) {
    if (source.closed) tracking.sources.delete(source);
    else restoreOne(source);
  }
}

function restoreOne(client: Client): void {
  const { own } = client;
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
