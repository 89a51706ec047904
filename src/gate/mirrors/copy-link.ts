import type { Buffer } from 'node:buffer';
import type { Link } from '../../redis/link.ts';
import type { Reply } from '../../resp/read.ts';

const answerWithinMs = 5000;

/** Copies that went out together. */
export interface Batch {
  requests: number;
  bytes: number;
  writes: boolean;
}

export interface CopyLinkEvents {
  /** Each was answered, errors among them; all of them so long after they went out. */
  onAnswered(batch: Batch, replies: readonly Reply[], ms: number): void;
  /** The connection ended: whether they were executed is not known. */
  onLost(batch: Batch, error: unknown): void;
}

/** A connection to a mirror, for one database: what comes within a turn of the event loop goes out in one write. */
export class CopyLink {
  readonly #link: Link;
  readonly #events: CopyLinkEvents;
  #pieces: Buffer[] = [];
  #batch: Batch = emptyBatch();

  constructor(link: Link, name: string, database: number, events: CopyLinkEvents) {
    this.#link = link;
    this.#events = events;
    // By its name a gate knows that a request is a copy, and copies it no further.
    const told = [link.call(['CLIENT', 'SETNAME', name])];
    if (database !== 0) told.push(link.call(['SELECT', database]));
    // A database that is not there would have its keys written to another one.
    for (const each of told) each.catch(() => link.close());
  }

  get closed(): boolean {
    return this.#link.closed;
  }

  /** @param piece whole requests, which stay as they are */
  push(piece: Buffer, requests: number, writes: boolean): void {
    if (this.#pieces.length === 0) setImmediate(() => this.#flush());
    this.#pieces.push(piece);
    this.#batch.requests += requests;
    this.#batch.bytes += piece.length;
    this.#batch.writes ||= writes;
  }

  close(): void {
    this.#link.close();
  }

  #flush(): void {
    const [pieces, batch] = [this.#pieces, this.#batch];
    this.#pieces = [];
    this.#batch = emptyBatch();
    const sentMs = performance.now();
    this.#link.exchange(pieces, batch.requests, { timeoutMs: answerWithinMs, raw: true }).then(
      (replies) => this.#events.onAnswered(batch, replies, performance.now() - sentMs),
      (error: unknown) => this.#events.onLost(batch, error),
    );
  }
}

function emptyBatch(): Batch {
  return { requests: 0, bytes: 0, writes: false };
}
