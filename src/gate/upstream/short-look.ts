/** Looks for acknowledgements where WAIT itself does not wait for them: durability.ts has when and why. */

/** More replicas than anybody has. */
export const tooMany = 1_000_000;
/** How long one look takes, ms: at first, and at most. */
export const firstLookMs = 1;
export const longestLookMs = 16;
