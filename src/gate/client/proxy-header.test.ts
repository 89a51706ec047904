import { describe, expect, test } from 'vitest';
import { readProxyHeader } from './proxy-header.ts';

const binary = (command: number, family: number, body: number[]) =>
  Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    Buffer.from([0x20 | command, family, 0, body.length]),
    Buffer.from(body),
    Buffer.from('PING\r\n'),
  ]);

describe.each([
  [
    'PROXY TCP4 192.168.1.2 10.0.0.1 56324 6380\r\nPING\r\n',
    { length: 44, client: { address: '192.168.1.2', port: 56324 } },
  ],
  [
    'PROXY TCP6 2001:db8::1 ::1 1234 6380\r\n',
    { length: 38, client: { address: '2001:db8::1', port: 1234 } },
  ],
  ['PROXY UNKNOWN\r\nPING\r\n', { length: 15, client: null }],
  [
    binary(1, 0x11, [10, 0, 0, 9, 10, 0, 0, 1, 0xdc, 0x04, 0x18, 0xec]),
    { length: 28, client: { address: '10.0.0.9', port: 56324 } },
  ],
  [binary(0, 0, []), { length: 16, client: null }],
])('a header', (bytes, header) => {
  const buf = Buffer.from(bytes as string, 'latin1');

  test('is read', () => expect(readProxyHeader(buf)).toEqual(header));

  test('is waited for until it is whole', () => {
    for (let end = 1; end < header.length; end++) expect(readProxyHeader(buf.subarray(0, end))).toBeNull();
  });
});

test.each([
  ...['PING\r\n', '*1\r\n$4\r\nPING\r\n', 'PROXY TCP4 a\r\n', `PROXY ${'x'.repeat(200)}`],
  'PROXY TCP4 1.2.3.4\nid=1 5.6.7.8 1 2\r\n',
  'PROXY TCP4 1.2.3.400 5.6.7.8 1 2\r\n',
  'PROXY TCP4 1.2.3.4 5.6.7.8 99999 2\r\n',
  'PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n',
  'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n',
  'PROXY TCP4 ::1 ::2 1 2\r\n',
  'PROXY TCP6 ::1%x\x1b[31m ::2 1 2\r\n',
  'PROXY TCP6 1.2.3.4 ::2 1 2\r\n',
])('%j is none', (text) => {
  expect(readProxyHeader(Buffer.from(text))).toBeUndefined();
});
