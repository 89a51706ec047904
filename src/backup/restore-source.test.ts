import { expect, test } from 'vitest';
import { sampleManifest } from '../../scripts/fuzz-support/memory-store.mjs';
import { theLatest } from './restore-source.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const [older, newer, ahead] = ['2026-02-27', '2026-02-28', '2027-01-01'].map((day) =>
  sampleManifest(`${day}T02:00:00Z`),
);

test('the latest is the newest; when a clock was wrong, a person says which', () => {
  expect(theLatest([], now)).toBeUndefined();
  expect(theLatest([newer!, older!], now)).toBe(newer);
  const soon = sampleManifest('2026-03-01T12:03:00Z');
  expect(theLatest([older!, soon], now)).toBe(soon);
  for (const backups of [[ahead!], [older!, ahead!, newer!]]) {
    expect(() => theLatest(backups, now)).toThrowError(
      expect.objectContaining({
        code: 'RESTORE_SOURCE_UNCLEAR',
        message: expect.stringContaining(`${ahead!.id} is dated`),
        hint: expect.stringContaining('by its id'),
      }),
    );
  }
});
