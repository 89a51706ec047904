import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { refusedUntil } from './refused-until.ts';

test.each([
  ['-READONLY no\r\n', '-READONLY no\r\n'],
  ['-READONLY no\r\n-ERR x\r\n+OK\r\n-ERR y\r\n', '-READONLY no\r\n-ERR x\r\n'],
  ['+OK\r\n-ERR x\r\n', ''],
  ['-ERR x\r\n-READ', '-ERR x\r\n-READ'],
  ['', ''],
  ['*1\r\n-ERR x\r\n', ''],
])('of %j the refusals are %j', (text, refused) => {
  const before = '-ERR not looked at\r\n';
  const buf = Buffer.from(`${before}${text}-ERR after\r\n`);
  const end = before.length + text.length;
  expect(refusedUntil(buf, before.length, end) - before.length).toBe(refused.length);
});
