import type { Buffer } from 'node:buffer';
import type { MemberAddress } from '../config.ts';
import type { Inbox } from './inbox.ts';
import { refusedUntil } from './refused-until.ts';
import type { Run } from './run.ts';

/**
 * Calls back when what this server executed until now may be acknowledged; null: at once. Not confirmed, what only reads is
 * sent again, or answered with the `refusal` if there is one.
 */
export type Confirm = ((server: MemberAddress, done: Confirmed) => void) | null;
export type Confirmed = (confirmed: boolean, refusal?: Buffer) => void;

/** The rest of what the server answers stays there while so much waits to be confirmed. */
const mostBytes = 8 * 1024 * 1024;

/** Whether the answer has to be confirmed where durability is asked for. */
type Durable = Pick<Run, 'durable' | 'client' | 'mustBeConfirmed'>;

/** What it reads for. */
interface Reader {
  /** Whether more is to be read. */
  read(on: boolean): void;
  isClosed(): boolean;
  /** Looks at what is in the inbox up to `end`. */
  consume(end: number): void;
  fail(reason: string): void;
  /** The same, though nothing is wrong with the server. */
  abandon(reason: string): void;
}

/**
 * The answers to writes are looked at only when what the server executed until they came is confirmed, where that is
 * asked for.
 */
export class ConfirmedReading {
  readonly #server: MemberAddress;
  readonly #confirm: Confirm;
  readonly #confirmsReads: boolean;
  readonly #inbox: Inbox;
  readonly #reader: Reader;
  /** Unanswered runs whose answers have to be confirmed. */
  #inFlight = 0;
  #waits = false;
  #standsStill = false;
  #refusal: Buffer | null = null;

  constructor(
    server: MemberAddress,
    { confirm, confirmsReads }: { confirm: Confirm; confirmsReads: boolean },
    inbox: Inbox,
    reader: Reader,
  ) {
    this.#server = server;
    this.#confirm = confirm;
    this.#confirmsReads = confirmsReads;
    this.#inbox = inbox;
    this.#reader = reader;
  }

  /** Something is there that waits to be confirmed. */
  get waits(): boolean {
    return this.#waits;
  }

  /** What it was asked for last, and only reads, is answered with this. */
  get refusal(): Buffer | null {
    return this.#refusal;
  }

  /** Nothing more is read until something is confirmed. */
  get standsStill(): boolean {
    return this.#standsStill;
  }

  sent(run: Durable): void {
    // What a connection is opened with is the gate's own.
    if (this.#confirmsReads && run.client !== null) run.mustBeConfirmed();
    if (run.durable) this.#inFlight++;
  }

  answered(run: Durable): void {
    if (run.durable) this.#inFlight--;
  }

  onBytes(): void {
    if (this.#confirm === null || (this.#inFlight === 0 && !this.#waits)) {
      this.#reader.consume(this.#inbox.end);
    } else if (!this.#waits) this.#confirmBytes(this.#confirm);
    if (this.#waits && this.#inbox.end - this.#inbox.start > mostBytes) this.#read(false);
  }

  #read(on: boolean): void {
    if (this.#standsStill !== on) return;
    this.#standsStill = !on;
    this.#reader.read(on);
  }

  /**
   * The connection ends. A server that becomes a replica says that it ends who waits (`UNBLOCKED`) and closes the connection
   * in one go, so what it refused is taken though nothing can be confirmed any more.
   */
  onEnd(): void {
    if (!this.#waits) return;
    this.#waits = false;
    const { buf, start, end } = this.#inbox;
    const until = refusedUntil(buf, start, end);
    if (until > start) this.#reader.consume(until);
  }

  /** Has what is there confirmed before it is looked at; what comes meanwhile waits for the next time. */
  #confirmBytes(confirm: NonNullable<Confirm>): void {
    this.#waits = true;
    const inbox = this.#inbox;
    const bytes = inbox.end - inbox.start;
    confirm(this.#server, (confirmed, refusal) => {
      this.#waits = false;
      if (this.#reader.isClosed()) return;
      this.#read(true);
      const end = inbox.start + bytes;
      // What was refused was not executed, and needs nobody's word.
      const until = confirmed ? end : refusedUntil(inbox.buf, inbox.start, end);
      const more = inbox.end > end;
      if (until > inbox.start) this.#reader.consume(until);
      if (this.#reader.isClosed()) return;
      if (until < end && refusal !== undefined) {
        this.#refusal = refusal;
        this.#reader.abandon('what it answered may not be shown');
      } else if (until < end) this.#reader.fail('what it answered could not be confirmed');
      else if (more) this.onBytes();
    });
  }
}
