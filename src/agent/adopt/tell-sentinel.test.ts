import { expect, test } from 'vitest';
import { busyWith, stillMissing } from './tell-sentinel.ts';

const heard = (port: number, okPingAgeMs: number, ...flags: string[]) => ({
  ...{ address: '10.0.0.1', port, okPingAgeMs, flags },
});

test('a Sentinel is told when its primary answers it and no failover is under way', () => {
  const busy = (okPingAgeMs: number, ...flags: string[]) => busyWith({ okPingAgeMs, flags });
  expect(busy(900, 'master')).toBeNull();
  expect(busy(900, 'master', 'failover_in_progress')).toBe('failover_in_progress');
  expect(busy(4000, 's_down', 'o_down', 'master')).toBe('s_down, o_down');
  expect(busy(10, 'master', 'disconnected')).toBe('disconnected');
  expect(busy(2500, 'master')).toBe('no answer for 2500 ms');
});

test('it hears again whom it heard before, by an answer that is younger than what it was told', () => {
  const before = [heard(1, 400, 'master'), heard(2, 300, 'slave')];
  const missing = (...now: ReturnType<typeof heard>[]) =>
    stillMissing(before, now, 500).map(({ port }) => port);
  expect(missing(heard(1, 100, 'master'), heard(2, 200, 'slave'))).toEqual([]);
  expect(missing(heard(1, 900, 'master'), heard(2, 200, 'slave'))).toEqual([1]);
  expect(missing(heard(1, 100, 'master'), heard(2, 100, 'slave', 'disconnected'))).toEqual([2]);
  expect(missing(heard(1, 100, 's_down', 'master'))).toEqual([1, 2]);
  // Behind a failover the two have changed places.
  expect(missing(heard(2, 100, 'master'), heard(1, 100, 'slave'))).toEqual([]);
});
