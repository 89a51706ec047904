import { expect, test } from 'vitest';
import { expiryAfter } from './rdb-server.ts';

test('an expiry is never beyond the latest that there is, however late the clock is read', () => {
  const latest = 2n ** 63n - 1n;
  expect(expiryAfter(1000n, 5000)).toBe(6000n);
  expect(expiryAfter(latest - 5000n, 5000)).toBe(latest);
  expect(expiryAfter(latest - 5000n, 5007)).toBe(latest);
});
