import { expect, test } from 'vitest';
import { commandsForWhole, hearsAll } from './change-feed.ts';

test('of what is not published the server counts how often it was executed', () => {
  const stats = [
    '# Commandstats',
    'cmdstat_flushall:calls=2,usec=9,usec_per_call=4.50,rejected_calls=0,failed_calls=0',
    'cmdstat_get:calls=70,usec=9',
    'cmdstat_swapdb:calls=1,usec=9',
    'cmdstat_FLUSHDB:calls=4,usec=9',
  ];
  expect(commandsForWhole(stats.join('\r\n'))).toBe(7);
  expect(commandsForWhole('')).toBe(0);
});

test('a setting tells of every change when it has names and all classes', () => {
  for (const flags of ['KA', 'AKE', 'Kg$lshzxetd']) expect(hearsAll(flags), flags).toBe(true);
  for (const flags of ['', 'A', 'EA', 'Kg$lshzxet']) expect(hearsAll(flags), flags).toBe(false);
});
