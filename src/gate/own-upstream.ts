import { Buffer } from 'node:buffer';
import { MINUS } from '../resp/bytes.ts';
import type { Client } from './client.ts';
import type { MemberAddress } from './config.ts';
import { isOutOfBand } from './handlers.ts';
import type { ReplyHandler } from './run-ring.ts';
import { Upstream } from './upstream.ts';

export interface OwnUpstreamEvents {
  /** The session stands on the new connection: the client may go on. */
  onReady(upstream: Upstream): void;
  /** The server refused to take the session over. */
  onRefused(upstream: Upstream, error: string): void;
  onClosed(upstream: Upstream, reason: string): void;
}

/** Opens a connection for one client and puts its session onto it before anything else is sent. */
export function openOwnUpstream(
  client: Client,
  target: MemberAddress,
  connectMs: number,
  events: OwnUpstreamEvents,
): Upstream {
  const upstream = new Upstream(target, connectMs, {
    onConnect: () => restore(client, upstream, events),
    onClosed: (_upstream, reason) => events.onClosed(upstream, reason),
    onOutOfBand: (_upstream, buf, start, end) => {
      if (!isOutOfBand(client, buf, start, end)) return false;
      client.write(buf, start, end);
      return true;
    },
  });
  return upstream;
}

function restore(client: Client, upstream: Upstream, events: OwnUpstreamEvents): void {
  const { session } = client;
  if (session.watching) session.watchBroken = true;
  const steps = session.restoring();
  if (session.standing || session.protocol === 3) upstream.outOfBand = true;
  let failed = '';
  let left = steps.length;
  const done = () => {
    if (failed !== '') events.onRefused(upstream, failed);
    else {
      upstream.ready = true;
      events.onReady(upstream);
    }
  };
  if (left === 0) done();
  for (const step of steps) {
    const swallow = new Swallow(step.replies, (error) => {
      if (error !== null && step.must && failed === '') failed = error;
      if (--left === 0) done();
    });
    upstream.send(null, step.request, 0, step.request.length, 1, false, swallow);
  }
}

/** Takes replies that the client has had before, from the connection that this one replaces. */
class Swallow implements ReplyHandler {
  #left: number;
  readonly #onDone: (error: string | null) => void;

  constructor(replies: number, onDone: (error: string | null) => void) {
    this.#left = replies;
    this.#onDone = onDone;
  }

  onReply(buf: Buffer, start: number, end: number): boolean {
    const isError = buf[start] === MINUS;
    if (isError) this.#left = 1;
    if (--this.#left > 0) return false;
    this.#onDone(isError ? Buffer.from(buf.subarray(start + 1, end - 2)).toString() : null);
    return true;
  }

  onLost(): void {}
}
