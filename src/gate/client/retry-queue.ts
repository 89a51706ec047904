import type { Buffer } from 'node:buffer';
import type { MemberAddress } from '../config.ts';
import type { Subscriptions } from './session.ts';

/**
 * Something that waits for its turn in a client's order: a request that has to be sent (again), or a reply that is
 * known already and waits for those before it.
 */
export type Item = Again | Answer;

export interface Answer {
  reply: Buffer;
  /** To so many requests; one, if it does not say. */
  times?: number;
}

export interface Again {
  request: Buffer;
  /** The last loss of a connection that had this; undefined: there was none. */
  loss?: Loss;
  /** The server where it was known to wait, so that no other has executed it. */
  waitedAt?: MemberAddress | null;
  /** It is part of a transaction: WATCH, MULTI, or what was to be queued behind it. */
  block?: BlockPart;
  /** It is the EXEC or DISCARD of a transaction that is sent again. */
  ends?: boolean;
}

/** A connection broke that had been sent a request. Whether its server died shows later, where the request is sent next. */
export interface Loss {
  /** The run of the server's process. */
  run: string;
  /** What `Router.era` was. */
  era: number;
  /** Servers that died before that while they had the request. */
  deaths: number;
}

export interface BlockPart {
  /** The reply that it gets when the block turns out to be over. */
  reply: Buffer;
  kind: 'watch' | 'begin' | 'queued' | 'error';
  /** The server would not queue it, so it can't have executed the block. */
  refused: boolean;
}

type Waiting = Again & { block: BlockPart };

/**
 * What a client must send again, in its order. When one of several requests in flight has to be sent again, the queue
 * collects: those behind it wait with it, because the order of one client's requests never changes. Reads among them
 * are sent again too (their answer may be from before), and what was executed keeps its answer for later. Once nothing
 * is in flight any more, what was collected is the client's next.
 */
export class RetryQueue {
  #next: Item[] = [];
  #collected: Item[] | null = null;
  /** What the connection is subscribed to, when that has changed while collecting: it can't be used any more. */
  #subscriptions: Subscriptions | null = null;

  /** What is collected now is collected because of this. */
  #loss: Loss | null = null;
  #bytes = 0;

  /** Bytes of what waits here. */
  get bytes(): number {
    return this.#bytes;
  }

  get collecting(): boolean {
    return this.#collected !== null;
  }

  get isEmpty(): boolean {
    return this.#next.length === 0 && this.#collected === null;
  }

  /** What is next; undefined when nothing is, or it is not known yet. */
  get first(): Item | undefined {
    return this.#collected === null ? this.#next[0] : undefined;
  }

  /** The next one is done, or one time of it. */
  shift(): void {
    const item = this.#next[0];
    if (item !== undefined && 'reply' in item && item.times !== undefined && item.times > 1) item.times--;
    else {
      this.#next.shift();
      if (item !== undefined) this.#bytes -= bytesOf(item);
    }
  }

  /** It comes after what is here, and before what the client has not taken yet. */
  push(item: Item): void {
    this.#next.push(item);
    this.#bytes += bytesOf(item);
  }

  /** From now on what is answered waits for what is sent again. */
  collect(): void {
    this.#collected ??= [];
  }

  /** Collects a request or a reply behind those that were collected before. */
  again(...items: Item[]): void {
    this.collect();
    for (const item of items) {
      if ('request' in item && this.#loss !== null) item.loss = this.#loss;
      this.#collected?.push(item);
      this.#bytes += bytesOf(item);
    }
  }

  /** Collects what `lose` does, because of this loss. */
  losing(loss: Loss | null, lose: () => void): void {
    this.collect();
    this.#loss = loss;
    lose();
    this.#loss = null;
  }

  /** What the connection is subscribed to while collecting; `now` is what the client is. */
  subscriptions(now: () => Subscriptions): Subscriptions {
    this.#subscriptions ??= now();
    return this.#subscriptions;
  }

  /** Nothing is in flight: what was collected is next. True when subscriptions changed meanwhile. */
  release(): boolean {
    const changed = this.#subscriptions !== null;
    this.#next.unshift(...(this.#collected ?? []));
    this.#collected = null;
    this.#subscriptions = null;
    return changed;
  }

  clear(): void {
    this.#next = [];
    this.#collected = null;
    this.#subscriptions = null;
    this.#bytes = 0;
  }

  /** Puts an answer in the place of each request that waits. */
  answerAll(answer: (request: Buffer) => Item): void {
    this.#next = this.#next.map((item) => ('reply' in item ? item : answer(item.request)));
    this.#count();
  }

  /** The requests of the last transaction that were collected, from its MULTI on if that was collected too. */
  block(): Waiting[] {
    const block: Waiting[] = [];
    for (const item of (this.#collected ?? []).toReversed()) {
      if ('reply' in item || item.block === undefined || item.block.kind === 'watch') break;
      block.unshift(item as Waiting);
      if (item.block.kind === 'begin') break;
    }
    return block;
  }

  /**
   * The last transaction is over: what of it was collected gets the replies that its server gave, or would have given.
   * True when another transaction before it is sent again.
   */
  endBlock(): boolean {
    const items = this.#collected ?? [];
    const before = items.findLastIndex((item) => 'request' in item && item.ends);
    const block = new Set<unknown>(this.block());
    for (const [index, item] of items.entries()) {
      if ('reply' in item || item.block === undefined) continue;
      const watched = index > before && item.block.kind === 'watch';
      if (watched || block.has(item)) items[index] = { reply: item.block.reply };
    }
    this.#count();
    return before >= 0;
  }

  #count(): void {
    const items = [...this.#next, ...(this.#collected ?? [])];
    this.#bytes = items.reduce((bytes, item) => bytes + bytesOf(item), 0);
  }
}

function bytesOf(item: Item): number {
  return 'reply' in item ? item.reply.length : item.request.length;
}
