import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ActivitySample, isCalm, noTrack, stepActivity, unknownActivity } from './activity.ts';

/** What is known after looks 100 ms apart. */
function seen(...looks: (Partial<ActivitySample> | null)[]) {
  return looks.reduce((track, look, index) => {
    return stepActivity(track, look && { atMs: index * 100, state: 'S', cpuMs: 0, ...look });
  }, noTrack).now;
}

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));

describe('what a process does', () => {
  test('stopped for as long as every look says so', () => {
    expect(seen(...times(6, () => ({ state: 'T' }))).stoppedMs).toBe(500);
    expect(seen(...times(5, () => ({ state: 'T' })), { state: 'S' }).stoppedMs).toBe(0);
    expect(seen({ state: 'S' }, { state: 'T' }).stoppedMs).toBe(0);
  });

  test('a debugger’s stop is a person’s work', () => {
    expect(seen(...times(9, () => ({ state: 't' })))).toEqual(unknownActivity);
  });

  test('waiting for its disk, unless it got on', () => {
    expect(seen(...times(6, () => ({ state: 'D', cpuMs: 70 }))).waitingMs).toBe(500);
    expect(seen(...times(5, () => ({ state: 'D' })), { state: 'D', cpuMs: 10 }).waitingMs).toBe(0);
  });

  test('computing, whatever the state at the moment of the look', () => {
    const looks = times(6, (i) => ({ state: i % 2 === 0 ? 'R' : 'S', cpuMs: i * 90 }));
    expect(seen(...looks)).toEqual({ stoppedMs: 0, waitingMs: 0, computingMs: 500 });
    expect(seen(...times(6, (i) => ({ cpuMs: i * 30 }))).computingMs).toBe(0);
    expect(seen(...times(6, (i) => ({ state: 'R', cpuMs: i * 10 }))).computingMs).toBe(500);
  });

  test('one that was just found stopped, or waiting, is looked at more often from then on', () => {
    const found = (state: string) => stepActivity(noTrack, { atMs: 0, state, cpuMs: 0 });
    expect([isCalm(noTrack), isCalm(found('S')), isCalm(found('R'))]).toEqual([true, true, true]);
    expect([isCalm(found('T')), isCalm(found('D'))]).toEqual([false, false]);
    const computing = stepActivity(found('R'), { atMs: 100, state: 'R', cpuMs: 100 });
    expect(isCalm(computing)).toBe(false);
  });

  test('nothing is known without looks, nor of a time in which nobody looked', () => {
    expect(seen(...times(6, () => ({ state: 'T' })), null)).toEqual(unknownActivity);
    const late = { state: 'T', atMs: 5000 };
    expect(seen(...times(6, () => ({ state: 'T' })), late).stoppedMs).toBe(0);
    expect(seen(...times(6, () => ({ state: 'T' })), late, { state: 'T', atMs: 5100 }).stoppedMs).toBe(100);
  });

  test('never for longer than it was looked at', () => {
    const sample = fc.record({
      gapMs: fc.integer({ min: -50, max: 900 }),
      state: fc.constantFrom('R', 'S', 'D', 'T', 'Z'),
      usedMs: fc.integer({ min: 0, max: 400 }),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 20 }), (samples) => {
        let [atMs, cpuMs, track] = [0, 0, noTrack];
        for (const { gapMs, state, usedMs } of samples) {
          atMs += gapMs;
          cpuMs += usedMs;
          track = stepActivity(track, { atMs, state, cpuMs });
          const { stoppedMs, waitingMs, computingMs } = track.now;
          for (const each of [stoppedMs, waitingMs, computingMs]) expect(each).toBeGreaterThanOrEqual(0);
          if (state !== 'T') expect(stoppedMs).toBe(0);
          if (state !== 'D') expect(waitingMs).toBe(0);
          expect(stoppedMs > 0 && waitingMs > 0).toBe(false);
        }
      }),
    );
  });
});
