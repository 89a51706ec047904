/** Time comes from outside, so that rules about time can be tested without waiting. */
export interface Clock {
  /** Wall-clock time: milliseconds since 1970. For people and files; it may jump. */
  wallMs(): number;
  /** Monotonic milliseconds from an arbitrary start. For measuring and for deadlines; it never jumps. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
