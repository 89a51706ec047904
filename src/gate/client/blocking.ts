import type { Buffer } from 'node:buffer';
import { COLON } from '../../resp/bytes.ts';
import { writeInteger } from '../../resp/write.ts';
import type { MemberAddress } from '../config.ts';
import type { RequestLoss } from '../upstream/run.ts';
import type { Client } from './client.ts';
import { Observed } from './handlers.ts';
import { loseRequest } from './replay.ts';

/**
 * Blocking commands across a change of primary. BLPOP, BLMOVE, XREADGROUP and their like take something, so executed twice
 * they take two things, of which the client gets one. The rules:
 *
 * - A primary that becomes a replica ends them itself (`UNBLOCKED force unblock`, `disconnectAllBlockedClients` in Redis's
 *   blocked.c): nothing was executed, and they are sent again.
 * - What only reads (XREAD, WAIT) is sent again, as any read.
 * - When the connection is lost, what takes something is sent again only if the server had said itself that it waits
 *   (`blocked-watch.ts`), and nothing of an answer has come since. What it takes later, for somebody's push, it answers before
 *   any replica hears of it (`clients_pending_write` is worked off from its head, and the woken client is put there last:
 *   networking.c): so another member that is primary now has not executed it.
 * - The same member, restarted, may have it in its AOF, which is written before answers are. There, and whenever it is not known
 *   that the command waited, it is answered with UNCERTAIN, as any write.
 *
 * Nothing is sent behind one before it is answered: what it waits for, and whether the rest was executed, stay apart.
 */
export class Blocking extends Observed {
  readonly blocking = true;
  /** The server that said that this waits there. */
  #blockedAt: MemberAddress | null = null;

  get blocked(): boolean {
    return this.#blockedAt !== null;
  }

  get waits(): boolean {
    return this.blocked || this.#reads;
  }

  onBlocked(member: MemberAddress): void {
    this.#blockedAt = member;
  }

  override onLost(loss: RequestLoss): void {
    loseRequest(this.client, this.request, loss, this.#blockedAt);
  }

  get #reads(): boolean {
    return this.client.router.table.commandIn(this.request).read;
  }
}

/**
 * WAIT. Where its server counts only what this connection wrote, its answer says that it may be asked, and the gate finds
 * out how many replicas have everything that was written until then.
 */
export class Waiting extends Blocking {
  readonly #needed: number;
  readonly #ms: number;
  readonly #since = performance.now();

  constructor(client: Client, request: Buffer, needed: number, ms: number) {
    super(client, request);
    this.#needed = needed;
    this.#ms = ms;
  }

  override onReply(buf: Buffer, start: number, end: number): boolean {
    const { client } = this;
    const { router, place } = client;
    const target = place.current?.target;
    if (buf[start] !== COLON || target === undefined || !router.runs.waitsForOwn(target))
      return super.onReply(buf, start, end);
    const told = globalThis.Buffer.from(buf.subarray(start, end));
    const leftMs = this.#ms === 0 ? 0 : Math.max(1, this.#ms - (performance.now() - this.#since));
    client.park((done) =>
      router.acks.wait(target, this.#needed, leftMs, (count) =>
        done(count === null ? told : writeInteger(count)),
      ),
    );
    return true;
  }
}
