import { expect, test } from 'vitest';
import { parseServerAddress } from './server-address.ts';

test('servers and Sentinels', () => {
  expect(parseServerAddress('redis://app%20a@10.0.0.1:7000')).toEqual({
    ...{ kind: 'server', at: { address: '10.0.0.1', port: 7000 }, username: 'app a', tls: false },
  });
  expect(parseServerAddress('rediss://[::1]')).toMatchObject({
    ...{ at: { address: '::1', port: 6379 }, tls: true },
  });
  expect(parseServerAddress('sentinels://app@a:1,b/orders')).toEqual({
    ...{ kind: 'sentinels', name: 'orders', username: 'app', tls: true },
    at: [
      { address: 'a', port: 1 },
      { address: 'b', port: 26_379 },
    ],
  });
  expect(parseServerAddress('sentinel://h')).toMatchObject({ name: undefined, tls: false });
});

test('what is none is refused, and a password is never repeated', () => {
  for (const text of [
    ...['host:6379', 'redis://', 'redis://h:99999', 'redis://h/3', 'redis://a:1,b:2', 'http://h'],
    ...['redis://%zz@h', 'sentinel://h/a b', 'sentinel://h,/a', 'redis://h:0'],
  ]) {
    expect(() => parseServerAddress(text), text).toThrow(
      expect.objectContaining({ code: 'SERVER_ADDRESS_UNCLEAR' }),
    );
  }
  for (const text of ['redis://u:secret@h', 'redis://:secret@h:1/2', 'redis://u:sec@ret@h']) {
    expect(() => parseServerAddress(text)).toThrow(/^(?!.*sec).*$/);
  }
});
