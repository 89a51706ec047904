import type { Buffer } from 'node:buffer';
import { bulkEnd } from '../../resp/bulk-end.ts';
import type { Brake } from './brake.ts';
import type { ReplySink } from './run.ts';
import type { RunRing } from './run-ring.ts';

/** A reply longer than this is passed on before it is whole. */
export const longReplyBytes = 1024 * 1024;

/** The reply at the head of a connection, while it goes to its client piece by piece. */
export class LongReply {
  readonly #ring: RunRing;
  readonly #brake: Brake;
  /** Whose it is; null while nothing of a reply has been passed on. */
  #to: ReplySink | null = null;
  /** Bytes of a bulk string that are passed on as they come. */
  #skip = 0;

  constructor(ring: RunRing, brake: Brake) {
    this.#ring = ring;
    this.#brake = brake;
  }

  /** Something of it has gone to its client. */
  get begun(): boolean {
    return this.#to !== null;
  }

  /** What comes next is the rest of a bulk string. */
  get goesOn(): boolean {
    return this.#skip > 0;
  }

  /**
   * The beginning of a reply to this client goes to it before the rest is there.
   * @param at where the part of it begins that is not framed yet
   * @returns where what was not passed on begins
   */
  begin(client: ReplySink, buf: Buffer, pos: number, at: number, end: number): number {
    const body = bulkEnd(buf, at, end);
    const taken = body > end ? end : at;
    if (taken === pos) return pos;
    this.#to = client;
    client.write(buf, pos, taken);
    this.#skip = body > end ? body - end : 0;
    this.#letItRead(client);
    return taken;
  }

  /** More of the bulk string. Returns where the bytes after it start. */
  passOn(buf: Buffer, start: number, end: number): number {
    const taken = Math.min(this.#skip, end - start);
    const client = this.#to as ReplySink;
    client.write(buf, start, start + taken);
    this.#skip -= taken;
    if (this.#skip > 0) this.#letItRead(client);
    return start + taken;
  }

  /** The reply is whole. */
  end(): void {
    if (this.#to !== null) this.#to = null;
  }

  /** Half of a reply can't be taken back: the one case in which a client is closed when a server fails. */
  breakOff(): void {
    this.#to?.closeHalfway();
  }

  #letItRead(client: ReplySink): void {
    this.#brake.letItRead(client, () => this.#ring.some((run) => run.client !== client));
  }
}
