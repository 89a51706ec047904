/**
 * What a process that does not answer is doing, from what the kernel says of it. The rules:
 *
 * - Stopped by a signal (SIGSTOP, Ctrl-Z): it does nothing until someone lets it go on, and to everyone else it is as
 *   good as lost. A debugger's stop is a person's work and does not count.
 * - Waiting for a disk (D) look after look, without any processor time in between.
 * - Computing: for all that time it used a good part of a processor, or at every look it was ready to run and others had
 *   the processor. A server that computes and does not answer is busy with
 *   one slow command.
 *
 * A look that comes much later than the one before says nothing about the time between: we were not running ourselves,
 * so the count begins anew. Without looks (no /proc) nothing is known, and only silence counts.
 */
export interface ActivitySample {
  atMs: number;
  state: string;
  cpuMs: number;
}

/** For how long it has been so without a break, at the last look; 0 when it is not. */
export interface Activity {
  stoppedMs: number;
  waitingMs: number;
  computingMs: number;
}

export interface ActivityTrack {
  readonly last: ActivitySample | null;
  readonly now: Activity;
}

export const unknownActivity: Activity = { stoppedMs: 0, waitingMs: 0, computingMs: 0 };
export const noTrack: ActivityTrack = { last: null, now: unknownActivity };

const longestGapMs = 400;
/** Of a look's time: processor time comes in steps of 10 ms. */
const computingShare = 0.4;

/** @param sample what was seen now; null when nothing can be. */
export function stepActivity({ last, now }: ActivityTrack, sample: ActivitySample | null): ActivityTrack {
  if (sample === null) return noTrack;
  const gapMs = last === null ? 0 : sample.atMs - last.atMs;
  if (last === null || gapMs <= 0 || gapMs > longestGapMs) return { last: sample, now: unknownActivity };
  const usedMs = sample.cpuMs - last.cpuMs;
  const both = (state: string) => last.state === state && sample.state === state;
  const grown = (holds: boolean, beforeMs: number) => (holds ? beforeMs + gapMs : 0);
  return {
    last: sample,
    now: {
      stoppedMs: grown(both('T'), now.stoppedMs),
      waitingMs: grown(both('D') && usedMs === 0, now.waitingMs),
      computingMs: grown(both('R') || usedMs >= gapMs * computingShare, now.computingMs),
    },
  };
}

/** It slept or ran as it pleased at the last look: nothing grows that is to be known soon. */
export function isCalm({ last, now }: ActivityTrack): boolean {
  const isPlain = last === null || (last.state !== 'T' && last.state !== 'D');
  return isPlain && now.stoppedMs === 0 && now.waitingMs === 0 && now.computingMs === 0;
}
