import { expect, test } from 'vitest';
import { parseLogLine } from './log-line.ts';

test('lines of servers, gates and agents have a time; what goes on with another line has none', () => {
  const at = new Date(2026, 10, 21, 11, 40, 21, 123).getTime();
  expect(parseLogLine('1234:M 21 Nov 2026 11:40:21.123 * Ready to accept connections')).toEqual({
    atMs: at,
    text: 'Ready to accept connections',
  });
  expect(parseLogLine('2026-11-21T11:40:21.123Z gate-1 open')).toEqual({
    atMs: Date.UTC(2026, 10, 21, 11, 40, 21, 123),
    text: 'gate-1 open',
  });
  for (const line of ['', '  at stack', '=== REDIS BUG REPORT ===', '2026-99-21T11:40:21Z no date'])
    expect(parseLogLine(line)).toBeUndefined();
});
