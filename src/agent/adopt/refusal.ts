/** Something that speaks against taking over, and what to do about it. */
export interface Refusal {
  /** A member's or Sentinel's id, or `the spec`. */
  where: string;
  what: string;
  /** What to do, as a sentence. */
  fix: string;
}
