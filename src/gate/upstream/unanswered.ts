/** Requests that a server does not answer: whether it is still there, and how long anybody waits. */
import type { Tenant } from './tenant.ts';
import type { Upstream } from './upstream.ts';

/** A server that had a request and said nothing for so long, in ms, may have been busy with it. */
export const silentMs = 1000;

/** Its server answers again, on new connections: it has a moment to answer on this one. */
export function leaveSilent(upstream: Upstream): void {
  const end = () => {
    if (upstream.silentMs >= silentMs) upstream.abandon('it stayed silent when its server was back');
  };
  setTimeout(end, silentMs);
}

/** The server is lost for as long as clients wait for one: what was under way then is not waited for either. */
export function giveUp(open: Iterable<Upstream>, forMs: number): void {
  for (const upstream of [...open])
    if (upstream.silentMs >= forMs) upstream.abandon('its server is lost and has not answered');
}

/**
 * Shared connections on which one client waits alone. Nobody comes behind it, and so nobody would find out that the network
 * swallows everything: TCP itself says so after a quarter of an hour.
 */
export class Alone {
  readonly #waiting = new Set<Upstream>();

  add(upstream: Upstream): void {
    this.#waiting.add(upstream);
  }

  /** Those that have waited for a while, each once: a connection that is opened for them shows whether anybody is there. */
  due(): { client: Tenant; upstream: Upstream }[] {
    const due: { client: Tenant; upstream: Upstream }[] = [];
    for (const upstream of this.#waiting) {
      const client = upstream.ring.peek()?.client;
      const isOver = upstream.closed || upstream.silentMs === 0 || !client;
      if (!isOver && upstream.silentMs < silentMs) continue;
      this.#waiting.delete(upstream);
      // Whoever sends is a tenant: only the gate's own requests have nobody.
      if (!isOver) due.push({ client: client as Tenant, upstream });
    }
    return due;
  }
}
