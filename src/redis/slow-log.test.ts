import { expect, test } from 'vitest';
import { slowEntries } from './slow-log.ts';

test('an entry of SLOWLOG GET, without its arguments', () => {
  const reply = [
    [9, 1_700_000_000, 2_500_000, ['keys', '*'], '127.0.0.1:5000', 'app'],
    [8, 1_700_000_000, 1000, ['CONFIG', 'SET', 'requirepass', 'hunter2'], '', ''],
  ];
  expect(slowEntries(reply)).toEqual([
    { atMs: 1.7e12, tookMs: 2500, command: 'KEYS', client: '127.0.0.1:5000', clientName: 'app' },
    { atMs: 1.7e12, tookMs: 1, command: 'CONFIG SET', client: '', clientName: '' },
  ]);
});

test('anything else is no entry', () => {
  expect(slowEntries('OK')).toEqual([]);
  expect(slowEntries([null, [1, 2], [1, 2, 3, []]])).toEqual([]);
});
