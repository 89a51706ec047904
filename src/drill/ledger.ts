/**
 * The ledger of a drill: every write and every read, with what became of it. Times are on the drill's own monotonic
 * clock, in ms. A write is `acknowledged` when the server said so, `failed` when it said no (an error reply means that
 * nothing was executed) or when it was never sent, and `unknown` when it may or may not have been executed: the
 * connection broke before the answer, or the answer was UNCERTAIN.
 */

/** What is written. `register` is a string that two clients write; the other keys have one writer each. */
export type WriteKind = 'string' | 'register' | 'counter' | 'list' | 'hash';
export type Outcome = 'acknowledged' | 'failed' | 'unknown';

export interface Write {
  client: number;
  /** The listener that it went through. */
  listener: string;
  kind: WriteKind;
  key: string;
  /** Unique among all writes of the drill; for a counter only a name for the step. */
  value: string;
  /** Counts up by one for each write of this client to this key. */
  step: number;
  sentMs: number;
  endMs: number;
  outcome: Outcome;
  /** The error's first word, or why there was no answer. */
  error?: string;
  /** Of a counter: what INCR answered. */
  answer?: number;
}

export interface Read {
  client: number;
  listener: string;
  /** Whether the listener promises the primary's data, or a replica's. */
  from: 'primary' | 'replica';
  key: string;
  value: string | null;
  sentMs: number;
  endMs: number;
}

/** What a server holds of the drill's keys. */
export interface Holdings {
  strings: Map<string, string | null>;
  counters: Map<string, number>;
  lists: Map<string, string[]>;
  hashes: Map<string, Map<string, string>>;
}

export class Ledger {
  readonly writes: Write[] = [];
  readonly reads: Read[] = [];
  /** When a connection of a client ended that it had not ended itself. */
  readonly drops: { client: number; listener: string; atMs: number }[] = [];
  /** Waits of clients: from the first try since its last acknowledged write to the next acknowledgement. */
  readonly waits: { client: number; listener: string; endMs: number; waitMs: number }[] = [];
  /** Errors of reads, by their first word. */
  readonly readErrors: { listener: string; endMs: number; error: string }[] = [];

  /** Keys that expired, or were deleted, or are about to: only whether all members agree on them is looked at. */
  readonly fleeting = new Set<string>();

  get acknowledged(): number {
    return this.#acknowledged;
  }

  #acknowledged = 0;

  write(write: Write): void {
    this.writes.push(write);
    if (write.outcome === 'acknowledged') this.#acknowledged += 1;
  }
}

/**
 * Errors after which a write was certainly not executed. UNCERTAIN is the gate's word for not knowing; every other
 * error reply of Redis or of a proxy means that the command did not run.
 */
export function outcomeOfError(word: string): Outcome {
  return word === 'UNCERTAIN' ? 'unknown' : 'failed';
}
