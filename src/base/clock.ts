/** Time comes from outside, so that rules about time can be tested without waiting. */
export interface Clock {
  /** Wall-clock time: milliseconds since 1970. For people and files; it may jump. */
  wallMs(): number;
  /** Monotonic milliseconds from an arbitrary start. For measuring and for deadlines; it never jumps. */
  monotonicMs(): number;
}

/** A clock that also wakes who waits, so that what waits is tested without waiting. */
export interface AlarmClock extends Clock {
  /** Calls once, that much later. It keeps no process alive. @returns what takes the call back. */
  after(ms: number, call: () => void): () => void;
}

export const systemClock: AlarmClock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
};
