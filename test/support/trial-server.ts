/** A server of a trial, in memory. */
import type { Place } from '../../src/spec/spec.ts';
import type { InSyncRecord } from '../../src/topology/in-sync-record.ts';

export const trialPassword = 'password of holdfast-replication';

/** One redis-server. */
export class TrialServer {
  readonly place: Place;
  alive = true;
  /** It answers nothing. */
  hangs = false;
  role: 'primary' | 'replica';
  /** The id of whom it follows. */
  follows: string | null;
  offset = 1000;
  /** What its primary sent and it has not read yet: so many bytes, once it was looked at so often. */
  unread = { bytes: 0, looks: 0 };
  /** How often it was made primary. */
  promotions = 0;
  paused = false;
  /** When its writes go on, unless they are paused again. */
  pausedUntilMs = 0;
  /** It can't write its AOF. */
  storeFails = false;
  /** It turns down REPLICAOF. */
  refuses = false;
  priority = 100;
  /** With what it logs in at a primary. */
  masterAuth = trialPassword;
  /** It comes to no link with its primary. */
  noLink = false;
  /** A script runs in it: it answers that and nothing else. */
  runsScript = false;
  /** Of a standalone one: who is in sync, by its own data, and the epoch in which it was fenced. */
  inSync: InSyncRecord | null = null;
  fencedIn: number | null = null;
  /** It answers nothing any more once it is to be made primary, and does that when it wakes. */
  hangsWhenPromoted = false;
  #onWake = () => {};

  constructor(place: Place, follows: string | null) {
    this.place = place;
    this.role = follows === null ? 'primary' : 'replica';
    this.follows = follows;
  }

  /** Reads what lies in its socket, as far as it comes. @returns whether there is more. */
  readOn(): boolean {
    if (this.fencedIn !== null) return false;
    if (this.unread.looks > 0) this.unread.looks -= 1;
    else {
      this.offset += this.unread.bytes;
      this.unread.bytes = 0;
    }
    return this.unread.bytes > 0;
  }

  pause(nowMs: number, forMs: number): void {
    this.paused = true;
    this.pausedUntilMs = nowMs + forMs;
  }

  /** @param onWake what it then carries out */
  hang(onWake: () => void): void {
    this.hangs = true;
    this.#onWake = onWake;
  }

  wake(): void {
    this.hangs = false;
    this.#onWake();
  }

  /** What it has not read from another one is lost. */
  replicaOf(id: string | null): void {
    this.unread = { bytes: 0, looks: 0 };
    if (id === null && this.role === 'replica') this.promotions += 1;
    this.role = id === null ? 'primary' : 'replica';
    this.follows = id;
  }
}
