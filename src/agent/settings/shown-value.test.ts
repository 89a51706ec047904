import { expect, test } from 'vitest';
import { shownValue } from './shown-value.ts';

test.each([
  ['maxmemory', '67108864', '64mb'],
  ['maxmemory', '0', '0'],
  ['maxmemory', '1500', '1500'],
  ['repl-backlog-size', '1048576', '1mb'],
  ['hz', '1024', '1024'],
  ['save', '', '""'],
  ['maxmemory-policy', 'noeviction', 'noeviction'],
])('%s %s is shown as %s', (name, value, shown) => {
  expect(shownValue(name, value)).toBe(shown);
});
