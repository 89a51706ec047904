/**
 * Whether a primary takes writes: it is sent one that changes nothing, at each look, on a connection of its own. Whatever keeps
 * its clients' writes back keeps this one back too, whoever caused it and however: a pause (CLIENT PAUSE … WRITE, which INFO tells
 * of since Redis 8 only), too few replicas, a full disk. Redis keeps a write that is paused without an answer, and reads nothing
 * more from that connection until the pause is over (postponeClient in networking.c).
 */
import type { Clock } from '../../base/clock.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { refusalKind, refusalReply } from '../../redis/errors.ts';
import type { WriteTrouble } from '../../topology/view.ts';

/** A connection that nothing else is asked on. */
export type ProbeConnection = Pick<RedisConnection, 'ask' | 'drop'>;

/** Deleting a key that nobody has is a write that changes nothing. */
const write = ['DEL', 'holdfast:ready'] as const;
/** How long a write may be paused before the connection is given up, and asked anew. */
const longestWaitMs = 60_000;
/** Members are looked at far oftener than that while something is waited for. */
const leastPaceMs = 500;
/** What a server says is shown up to here. */
const longestText = 200;
/** It is no primary any more, or does not let this agent in: that is told elsewhere. */
const saysNothing: ReadonlySet<string> = new Set(
  'READONLY NOPERM NOAUTH WRONGPASS LOADING BUSY MASTERDOWN'.split(' '),
);

export class WriteProbe {
  readonly #connection: ProbeConnection;
  readonly #clock: Clock;
  /** The write that has no answer yet; null when none waits. */
  #asked: { atMs: number } | null = null;
  #askedLastMs = Number.NEGATIVE_INFINITY;
  /** What it said last, and when it was asked for the first and the last of those writes that it refused. */
  #refused: { said: string; sinceMs: number; untilMs: number } | null = null;

  constructor(connection: ProbeConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** Sends a write, unless one waits for its answer. Nobody waits for that. */
  look(): void {
    const atMs = this.#clock.monotonicMs();
    if (this.#asked !== null || atMs - this.#askedLastMs < leastPaceMs) return;
    const asked = { atMs };
    this.#asked = asked;
    this.#askedLastMs = atMs;
    this.#connection.ask(write, { timeoutMs: longestWaitMs }).then(
      () => this.#answered(asked, null),
      (error) => {
        const said = saysNothing.has(refusalKind(error) ?? '') ? undefined : refusalReply(error)?.text;
        this.#answered(asked, said?.slice(0, longestText) ?? null);
      },
    );
  }

  /** @param answeredMs when the same server answered anything last: it could have answered the write by then */
  trouble(answeredMs: number): WriteTrouble | null {
    if (this.#refused !== null) {
      const { said, sinceMs, untilMs } = this.#refused;
      // Not until now: the write that is under way may be taken.
      return { code: 'refused', said, forMs: untilMs - sinceMs };
    }
    const forMs = this.#asked === null ? 0 : answeredMs - this.#asked.atMs;
    return forMs > 0 ? { code: 'held', said: '', forMs } : null;
  }

  /** Forgets what the process before said, and that it was asked. */
  reset(): void {
    this.#asked = null;
    this.#askedLastMs = Number.NEGATIVE_INFINITY;
    this.#refused = null;
    this.#connection.drop();
  }

  #answered(asked: { atMs: number }, said: string | null): void {
    // Of the process before.
    if (this.#asked !== asked) return;
    const sinceMs = this.#refused?.sinceMs ?? asked.atMs;
    this.#asked = null;
    this.#refused = said === null ? null : { said, sinceMs, untilMs: asked.atMs };
  }
}
