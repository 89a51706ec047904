/**
 * Notices when this machine's clock is set. The wall clock and the monotonic one advance together, also while NTP slews
 * them; when the wall clock alone moves, it was stepped, or the machine stood still (a suspended virtual machine, whose
 * monotonic clock stops). Sentinels go into TILT over it, and keys expire early or late.
 */
import type { Clock } from '../../base/clock.ts';
import { describeDuration } from '../../base/duration.ts';
import type { EventLog } from '../state/event-log.ts';

const everyMs = 1000;
/** Slewing is 0.5 ms a second; timers' and our own delays touch both clocks alike. */
const leastStepMs = 250;
/** The two clocks are read one after the other: when that took longer than this, the reading says nothing. */
const longestReadingMs = 20;

export const clockStepKind = 'clock-step';

export class ClockWatch {
  readonly #clock: Clock;
  /** Wall clock less monotonic clock, when last read. */
  #differenceMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.look();
  }

  /** @returns how far the wall clock was moved since the last look, in ms; 0 when it wasn't. */
  look(): number {
    const beforeMs = this.#clock.monotonicMs();
    const wallMs = this.#clock.wallMs();
    if (this.#clock.monotonicMs() - beforeMs > longestReadingMs) return 0;
    const differenceMs = wallMs - beforeMs;
    const stepMs = this.#differenceMs === null ? 0 : differenceMs - this.#differenceMs;
    this.#differenceMs = differenceMs;
    return Math.abs(stepMs) < leastStepMs ? 0 : Math.round(stepMs);
  }
}

/** Makes an event of each step. @returns what ends it. */
export function watchClock(clock: Clock, events: EventLog, host: string): () => void {
  const watch = new ClockWatch(clock);
  const timer = setInterval(() => {
    const stepMs = watch.look();
    if (stepMs !== 0) events.add(clockStepKind, host, describeStep(stepMs, host));
  }, everyMs);
  return () => clearInterval(timer);
}

function describeStep(stepMs: number, host: string): string {
  const far = describeDuration(Math.abs(stepMs));
  return stepMs > 0
    ? `the clock of host ${host} was set forward by ${far}, or the machine stood still for that long`
    : `the clock of host ${host} was set back by ${far}`;
}
