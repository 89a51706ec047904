import type { Buffer } from 'node:buffer';
import type { MemberAddress } from '../config.ts';

/** How a run was lost: by which server (a run of one), after it was written there or before. */
export interface Loss {
  server: string;
  sent: boolean;
  /** The server had said nothing for long, and this run is among those that it may have been busy with. */
  silent: boolean;
  /** Something of its answer had come. */
  heard: boolean;
}

/** The same, as a single request is told. */
export interface RequestLoss {
  /** Its bytes were handed to the connection: the server may have executed it. */
  sent: boolean;
  /** Its server may have been lost because of it. */
  suspect: boolean;
  /** Servers that died before this one while they had it. */
  deaths: number;
  /** Something of its answer had come. */
  heard: boolean;
}

/** Who gets the replies of a connection to a member. */
export interface ReplySink {
  readonly closed: boolean;
  /** Replies may go to it as they come. */
  readonly direct: boolean;
  /** It goes on at the next answer, so what it is answered until then leaves first. */
  readonly expectant: boolean;
  /** Monotonic ms since when its next request waits for a primary; 0 when it doesn't. */
  readonly heldSince: number;
  /** Bytes that it has not read yet. */
  readonly unread: number;
  /** So many of them it may have before a connection stands still that it has for itself. */
  readonly patientBytes: number;
  /** Replies that are its next, as they stand in memory. True when they must stay there. */
  pass(buf: Buffer, start: number, end: number): boolean;
  /** Bytes that are in nobody's turn. */
  write(buf: Buffer, start: number, end: number): void;
  /** One reply to a run of several requests that can't simply be passed on. */
  onReply(run: Run, buf: Buffer, start: number, end: number): void;
  onRunSent(requests: number, bytes: number): void;
  /** So many requests more are in the run that was sent last. */
  onRunExtended(requests: number): void;
  onRunDone(run: Run, replyBytes: number): void;
  /** The run's connection broke. */
  onRunLost(run: Run, loss: Loss): void;
  /** Of what is being sent: servers that died while they had it. */
  readonly deaths: number;
  /** So many ms after it was sent, or held, a run was answered. */
  countAnswered(ms: number, run: Run): void;
  /** There is room for its requests again. */
  resume(): void;
  /** Calls back when it has read what there is, or is gone. */
  whenRead(onRead: () => void): void;
  closeHalfway(): void;
}

/** Whoever has a connection for itself hears on it what it did not ask for just then. */
export interface Unasked {
  /** Takes a reply that answers no request; false when it answers one after all. */
  takesUnasked(buf: Buffer, start: number, end: number): boolean;
}

/**
 * Takes the replies of a request that needs more than passing on. `onReply` says whether that was the last one;
 * `onLost` says what becomes of the request when the connection broke first: see replay.ts.
 */
export interface ReplyHandler {
  onReply(buf: Buffer, start: number, end: number): boolean;
  onLost(loss: RequestLoss): void;
  /**
   * Whether this reply shows that the connection is what the gate takes it for. What is not known to be clean is
   * dirty: without that, nobody else gets the connection.
   */
  proves(buf: Buffer, start: number, end: number): boolean;
  /** It waits at the server until something happens; a hold doesn't wait for it. */
  readonly blocking?: boolean;
  /** Its answer need not be waited for: the server said that it waits, or executing it twice changes nothing. */
  readonly waits?: boolean;
  /** Its server said that it waits there. */
  readonly blocked?: boolean;
  /** This server says that it waits there. */
  onBlocked?(member: MemberAddress): void;
}

/**
 * Requests of one client, one after the other in memory, that were sent and wait for their replies. Their bytes
 * are kept until then, so that they can be sent again; only a failover ever looks at them. A client that writes much and
 * reads nothing has a run of which nothing is kept but how many requests it has.
 */
export class Run {
  client: ReplySink | null = null;
  handler: ReplyHandler | null = null;
  /** Its requests are in `bytes[start, end)`. */
  kept = true;
  bytes: Buffer | null = null;
  start = 0;
  end = 0;
  /** Requests, and how many of them are not answered yet. */
  count = 0;
  left = 0;
  /** Monotonic ms when the gate had it, or since when it was held. */
  since = 0;
  /** Monotonic ms before which this connection did not have it. */
  sentMs = 0;
  /** Whether a hold has to wait for it: it may write, and it doesn't block. */
  writes = false;
  /** There may be long answers among its own. */
  reads = false;
  /** Whether its answer has to be confirmed where durability is asked for: it may write. */
  durable = false;

  /** Servers that died while they had it. */
  deaths = 0;

  /** Lets its memory go. */
  forget(): void {
    this.client = null;
    this.handler = null;
    this.bytes = null;
  }

  /** Its replies are passed on as they come. */
  get plain(): boolean {
    const { client } = this;
    return this.handler === null && client !== null && client.direct;
  }
}

/** A queue of runs in a ring that grows. A run given back by `shift` stays as it is until the ring comes round. */
export class RunRing {
  #runs: Run[] = Array.from({ length: 16 }, () => new Run());
  #head = 0;
  #size = 0;
  #sent = 0;
  #requestsSent = 0;

  get size(): number {
    return this.#size;
  }

  /** How many of the runs, from the first one on, have been written to the server. */
  get sent(): number {
    return this.#sent;
  }

  /** And the requests in those. */
  get requestsSent(): number {
    return this.#requestsSent;
  }

  /** The first run that was not is being written. */
  markSent(): void {
    this.#requestsSent += this.at(this.#sent).count;
    this.#sent++;
  }

  /** So many requests more are in the last run, and were written. */
  extend(requests: number): void {
    const run = this.at(this.#size - 1);
    run.count += requests;
    run.left += requests;
    this.#requestsSent += requests;
  }

  /** The run to fill in, already at the end of the queue. */
  push(): Run {
    if (this.#size === this.#runs.length) this.#grow();
    const run = this.#runs[(this.#head + this.#size) & (this.#runs.length - 1)] as Run;
    this.#size++;
    return run;
  }

  peek(): Run | undefined {
    return this.#size === 0 ? undefined : this.#runs[this.#head];
  }

  get last(): Run | undefined {
    return this.#size === 0 ? undefined : this.at(this.#size - 1);
  }

  at(index: number): Run {
    return this.#runs[(this.#head + index) & (this.#runs.length - 1)] as Run;
  }

  find(test: (run: Run) => boolean): Run | undefined {
    for (let index = 0; index < this.#size; index++) if (test(this.at(index))) return this.at(index);
    return undefined;
  }

  some(test: (run: Run) => boolean): boolean {
    return this.find(test) !== undefined;
  }

  /** Takes out the runs of this client that were not sent, telling of each; the others move up. Returns how many. */
  dropUnsent(client: ReplySink, onDropped: (run: Run) => void): number {
    const mask = this.#runs.length - 1;
    let to = this.#sent;
    for (let from = to; from < this.#size; from++) {
      const run = this.at(from);
      if (run.client === client) {
        onDropped(run);
        continue;
      }
      this.#runs[(this.#head + from) & mask] = this.at(to);
      this.#runs[(this.#head + to) & mask] = run;
      to++;
    }
    const dropped = this.#size - to;
    for (let index = to; index < this.#size; index++) this.at(index).forget();
    this.#size = to;
    return dropped;
  }

  /** Takes the first one off and lets its memory go. */
  shift(): void {
    const run = this.#runs[this.#head] as Run;
    if (this.#sent > 0) {
      this.#sent--;
      this.#requestsSent -= run.count;
    }
    run.forget();
    this.#head = (this.#head + 1) & (this.#runs.length - 1);
    this.#size--;
  }

  #grow(): void {
    const old = this.#runs;
    const runs = Array.from({ length: this.#size }, (_, index) => this.at(index));
    while (runs.length < old.length * 2) runs.push(new Run());
    this.#runs = runs;
    this.#head = 0;
  }
}
