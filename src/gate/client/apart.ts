import type { Buffer } from 'node:buffer';
import type { GateConfig } from '../config.ts';
import { Backlog } from '../upstream/backlog.ts';
import { openOwnLink } from '../upstream/open-link.ts';
import type { Tenant } from '../upstream/tenant.ts';
import type { Upstream } from '../upstream/upstream.ts';

/** A client, as far as it can be set apart. */
interface Writer extends Tenant {
  /** It goes on when nothing is in flight any more. */
  readonly waiting: boolean;
  readonly router: { readonly config: GateConfig; readonly holding: 'none' | 'writes' | 'all' };
}

/** So much of its replies is in the gate; the rest waits in sockets, and at the server. */
const unreadBytes = 256 * 1024;
/** A member may keep so many times `replyBytes` for it. */
const atMember = 4;
const askMs = 5000;

/**
 * A client that writes much before it reads anything (a pipeline of a million requests) is set apart: it gets a
 * connection of its own, and nothing of it is kept here, neither its requests nor what answers them. Its requests are
 * passed on as the server takes them, its replies read as it reads them itself, so the server keeps what it has not
 * read, as it would without a gate: see backlog.ts for how much that may be.
 *
 * - What is not kept can't be sent again. When the connection breaks, everything that was not answered is answered with
 *   UNCERTAIN, and what a server refuses because it is no primary is passed on.
 * - It is for plain requests. Whatever else comes waits until those before it are answered, and is sent as ever: until
 *   then, and while a change of primary waits for answers, its replies are kept in the gate, up to `replyBytes`.
 * - It ends when the client has all its answers.
 */
export class Apart {
  readonly #client: Writer;
  #state: 'no' | 'wanted' | 'on' = 'no';
  #backlog: Backlog | null = null;
  /** The connection that it had when it was last asked about. */
  #upstream: Upstream | null = null;
  #waitsForServer = false;

  constructor(client: Writer) {
    this.#client = client;
  }

  get on(): boolean {
    return this.#state === 'on';
  }

  /** What it asks may be sent, however much it has to read. */
  get goesOn(): boolean {
    return this.#state !== 'no';
  }

  /** The member keeps as much for it as it may. */
  get full(): boolean {
    return this.#backlog?.full === true;
  }

  /** It does not read, and has more to ask. */
  want(): void {
    if (this.#state !== 'no') return;
    this.#state = 'wanted';
    this.#client.place.reroute();
  }

  /** Its next request is a plain one: false when it must wait, because not everything before it is answered. */
  ready(): boolean {
    if (this.#state !== 'wanted') return true;
    if (!this.#client.idle()) return false;
    this.#state = 'on';
    return true;
  }

  stop(): void {
    this.#state = 'no';
    this.#waitsForServer = false;
    this.#backlog?.stop();
    this.#backlog = null;
  }

  /** Its next request is no plain one: false when it must wait, because not everything before it is answered. */
  end(): boolean {
    if (this.#state === 'on' && !this.#client.idle()) return false;
    if (this.#state !== 'no') this.stop();
    return true;
  }

  /** How many requests may be passed on to the server now; when none may, `client.pump` comes by again. */
  room(upstream: Upstream): number {
    if (this.#waitsForServer) return 0;
    this.#waitsForServer = !upstream.passage.takes(() => {
      this.#waitsForServer = false;
      this.#client.pump();
    });
    return this.#waitsForServer ? 0 : (this.#backlogOf(upstream)?.room ?? Number.POSITIVE_INFINITY);
  }

  /** Passes plain requests on. */
  send(upstream: Upstream, buf: Buffer, start: number, end: number, count: number, writes: boolean): void {
    upstream.passage.sendUnkept(this.#client, buf, start, end, count, writes);
    this.#backlog?.passed(count);
  }

  /** How much it may have unread before its connection stands still; null: as much as anybody. */
  get patientBytes(): number | null {
    const { place, router, waiting } = this.#client;
    const apart = this.on && !waiting && router.holding === 'none' && place.own?.expiring !== true;
    return apart ? unreadBytes : null;
  }

  #backlogOf(upstream: Upstream): Backlog | null {
    if (this.#upstream !== upstream) {
      this.#backlog?.stop();
      this.#backlog = null;
      this.#upstream = upstream;
    }
    if (this.#backlog !== null || upstream.atServer.id === null) return this.#backlog;
    const client = this.#client;
    const { config } = client.router;
    const open = () => openOwnLink(upstream.target, config, { timeoutMs: askMs });
    const limitBytes = config.limits.replyBytes * atMember;
    this.#backlog = new Backlog(open, upstream.atServer.id, limitBytes, () => client.pump());
    return this.#backlog;
  }
}
