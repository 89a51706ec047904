/**
 * How long a connection to a former primary may still answer what it was sent. Whatever comes late is answered with UNCERTAIN
 * (a write) or sent again (a read).
 *
 * - In a planned change what is under way is answered: the server says READONLY as soon as it is a replica. It may have waited
 *   there for as long as writes are paused.
 * - What was sent to one that did not answer has had its time while everything was held.
 * - One that has been silent for longer than any planned change takes hung. What it executes when it goes on, after somebody
 *   else was promoted, nobody else has: an answer of it would be no more than a promise that is broken.
 * - One that is known to wait in a blocking command has nothing to say.
 */
const graceMs = 1000;
const leastMs = 50;
/** A planned change pauses writes for less than that. */
const hungAfterMs = 3000;

export interface Leaving {
  /** It waits in a blocking command. */
  blocked: boolean;
  /** For how long the primary had not answered when it was replaced. */
  lostForMs: number;
  /** How long the server has said nothing to what waits for its answer there. */
  silentMs: number;
}

/** In ms. */
export function graceOf({ blocked, lostForMs, silentMs }: Leaving): number {
  if (blocked || silentMs >= hungAfterMs) return leastMs;
  return Math.max(leastMs, graceMs - lostForMs);
}
