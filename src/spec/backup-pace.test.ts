import { expect, test } from 'vitest';
import { longestBackupGapMs, oldestGoodBackupMs } from './backup-pace.ts';

const hourMs = 3_600_000;

test.each([
  ['0 20 * * *', 'UTC', 24],
  ['*/15 * * * *', 'UTC', 0.25],
  ['0 2 * * *', 'Europe/Berlin', 25],
  ['0 9-17 * * 1-5', 'UTC', 64],
  ['0 3 1 * *', 'UTC', 31 * 24],
  ['@daily', 'UTC', 24],
])('%s in %s leaves at most %d hours', (schedule, timezone, hours) => {
  expect(longestBackupGapMs({ schedule, timezone }) / hourMs).toBe(hours);
});

test('a backup is old when one run has certainly not worked', () => {
  expect(oldestGoodBackupMs({ schedule: '0 20 * * *', timezone: 'UTC' }) / hourMs).toBe(31);
});
