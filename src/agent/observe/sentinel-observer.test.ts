import { expect, test } from 'vitest';
import { parseSentinelEvent, type SentinelEvent } from '../../redis/sentinel-event.ts';
import { afterEvent, type SentinelObservation } from './sentinel-observer.ts';

const seen: SentinelObservation = {
  reachable: true,
  primary: { address: '127.0.0.1', port: 7101 },
  configEpoch: 1,
  agreedDown: false,
  primarySilentMs: 0,
  failoverInProgress: false,
  tilt: false,
  saysDown: false,
  locksUsOut: false,
  watchesNothing: false,
  forgotLately: false,
};
const event = (channel: string, message: string) =>
  parseSentinelEvent(channel, message, 'test') as SentinelEvent;
const after = (from: SentinelObservation, channel: string, message = 'master test 127.0.0.1 7101') =>
  afterEvent(from, event(channel, message));

test('a failover is under way from its first event to its last', () => {
  const trying = after(seen, '+try-failover');
  expect(trying).toEqual({ ...seen, failoverInProgress: true });
  expect(after(trying, '+elected-leader')).toEqual(trying);
  const selected = after(
    trying,
    '+selected-slave',
    'slave 127.0.0.1:7102 127.0.0.1 7102 @ test 127.0.0.1 7101',
  );
  expect(selected.failoverInProgress).toBe(true);
  expect(after(trying, '-failover-abort-no-good-slave')).toEqual(seen);
  expect(after(trying, '-failover-abort-not-elected')).toEqual(seen);
  expect(after(trying, '+failover-end-for-timeout')).toEqual(seen);
  expect(after(trying, '+switch-master', 'test 127.0.0.1 7101 127.0.0.1 7102')).toEqual({
    ...seen,
    primary: { address: '127.0.0.1', port: 7102 },
  });
});

test('TILT begins and ends', () => {
  const tilted = after(seen, '+tilt', '#tilt mode entered');
  expect(tilted).toEqual({ ...seen, tilt: true });
  expect(after(tilted, '+sdown')).toEqual(tilted);
  expect(after(tilted, '-tilt', '#tilt mode exited')).toEqual(seen);
});
