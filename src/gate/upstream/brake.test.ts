import { expect, test } from 'vitest';
import { Brake } from './brake.ts';
import { Patience } from './patience.ts';
import type { ReplySink } from './run.ts';

const slow = { closed: false, unread: 8 * 1024 * 1024, patientBytes: 64 * 1024 * 1024, whenRead: () => {} };

/** A connection in the middle of a long reply to somebody who does not read; whether it stood still. */
function standsStill(patience: Patience, othersWait: boolean): boolean {
  const seen: string[] = [];
  const socket = { pause: () => seen.push('pause'), resume: () => seen.push('resume') };
  const brake = new Brake(socket, patience, () => {});
  brake.letItRead(slow as unknown as ReplySink, () => othersWait);
  const { on } = brake;
  brake.release();
  expect(seen).toEqual(on ? ['pause', 'resume'] : []);
  return on;
}

test('slow readers hold up others for half a second in five and a half, all of them together', () => {
  const patience = new Patience();
  expect(patience.from(1000)).toBe(1500);
  expect(patience.from(1400)).toBe(1500);
  expect(patience.from(3000)).toBe(1500);
  expect(patience.from(6499)).toBe(1500);
  expect(patience.from(6500)).toBe(7000);
});

test('once that is used up, a connection on which others wait is read on; one on which nobody waits stands still', () => {
  const fresh = new Patience();
  expect(standsStill(fresh, true)).toBe(true);
  const spent = new Patience();
  spent.from(performance.now() - 1000);
  expect(standsStill(spent, true)).toBe(false);
  expect(standsStill(spent, false)).toBe(true);
});
