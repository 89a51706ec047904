import { expect, test } from 'vitest';
import { parseServerName } from './source-url.ts';

test('servers and Sentinels', () => {
  expect(parseServerName('redis://app%20a@10.0.0.1:7000')).toEqual({
    ...{ kind: 'server', host: '10.0.0.1', port: 7000, username: 'app a', tls: false },
  });
  expect(parseServerName('rediss://[::1]')).toMatchObject({ host: '::1', port: 6379, tls: true });
  expect(parseServerName('sentinel://a:1,b/orders')).toEqual({
    ...{ kind: 'sentinel', name: 'orders', username: '' },
    sentinels: [
      { address: 'a', port: 1 },
      { address: 'b', port: 26_379 },
    ],
  });
});

test('what is none is refused, and a password is never repeated', () => {
  for (const text of [
    'host:6379',
    'redis://',
    'redis://h:99999',
    'redis://h/3',
    'sentinel://h',
    'http://h',
    'redis://%zz@h',
  ]) {
    expect(() => parseServerName(text)).toThrow(
      expect.objectContaining({ code: 'MIGRATION_SOURCE_UNCLEAR' }),
    );
  }
  for (const text of ['redis://u:secret@h', 'redis://:secret@h:1/2', 'redis://u:sec@ret@h']) {
    expect(() => parseServerName(text)).toThrow(/^(?!.*sec).*$/);
  }
});
