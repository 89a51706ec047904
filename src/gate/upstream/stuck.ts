import type { MemberAddress } from '../config.ts';
import type { ReplyHandler, ReplySink } from './run.ts';
import type { Tenant } from './tenant.ts';
import type { Upstream } from './upstream.ts';

const underWayMs = 25;

/**
 * Shared connections whose head is not answered. The server may be slow, or it may hold up that one request: a script that
 * does not end, a write that CLIENT PAUSE stops. It is the latter when the server let somebody else in meanwhile: it
 * executes one command after the other, so the head is not being executed, or waits for its end. Then those who
 * wait behind it are not left there: reads, which may be executed twice, are asked anew on another connection, where the
 * server says BUSY, or answers. Writes stay, as nobody can know whether they will be executed. A server that is only slow lets
 * nobody in, and is not asked twice.
 */
export class Stuck {
  /** Monotonic ms when the server answered another connection; null: it has not. */
  readonly #left = new Map<Upstream, { answeredAt: number | null }>();

  add(upstream: Upstream): void {
    this.#left.set(upstream, { answeredAt: null });
  }

  /** The server let a new connection in, or refused it. */
  onAnswered(target: MemberAddress): void {
    const now = performance.now();
    for (const [upstream, state] of this.#left) if (upstream.target === target) state.answeredAt ??= now;
  }

  /** Frees those who wait behind a head that is still silent a while after the server let others in. Returns them. */
  free(silentForMs: number): Tenant[] {
    const freed: Tenant[] = [];
    const now = performance.now();
    for (const [upstream, { answeredAt }] of [...this.#left]) {
      const silent = !upstream.closed && upstream.silentMs >= silentForMs;
      // What the server answered before that may still be under way.
      if (silent && (answeredAt === null || now - answeredAt < underWayMs)) continue;
      this.#left.delete(upstream);
      if (silent) freed.push(...freeReaders(upstream));
    }
    return freed;
  }
}

/** Takes from the connection those all of whose requests there are reads; what they asked is next for them again. */
function freeReaders(upstream: Upstream): Tenant[] {
  const { ring } = upstream;
  const server = upstream.atServer.run;
  const stay = new Set<ReplySink | null>([null, ring.peek()?.client ?? null]);
  for (let index = 0; index < ring.size; index++) {
    // A run that `reads` may write as well: a script does, and so may a pipeline.
    const { client, writes, handler } = ring.at(index);
    if (writes || handler !== null) stay.add(client);
  }
  const freed = new Set<Tenant>();
  for (let index = 1; index < ring.size; index++) {
    const run = ring.at(index);
    const { client } = run;
    if (client === null || stay.has(client)) continue;
    // Whoever sends is a tenant: only the gate's own requests have nobody.
    freed.add(client as Tenant);
    client.onRunLost(run, { server, sent: index < ring.sent, silent: false, heard: false, refusal: null });
    run.abandonTo(new Unwanted(run.left));
  }
  return [...freed];
}

/** Answers that come too late: whoever asked has asked anew. */
class Unwanted implements ReplyHandler {
  #left: number;

  constructor(replies: number) {
    this.#left = replies;
  }

  onReply(): boolean {
    return --this.#left === 0;
  }

  onLost(): void {}

  proves(): boolean {
    return true;
  }
}
