import { expect, test } from 'vitest';
import { gateConfig, gateConfigDefaults } from './config.ts';
import { findMistake } from './config-mistakes.ts';

const withLimits = (limits: object) =>
  findMistake(
    gateConfig({
      ...{ deployment: 'orders', id: 'gate-1', listen: { host: '127.0.0.1', port: 6380 } },
      members: [{ id: 'redis-1', address: '127.0.0.1', port: 6379 }],
      limits,
    }),
  );

test('a limit of which nothing could be served is refused, and the least is named', () => {
  for (const name of Object.keys(gateConfigDefaults.limits)) {
    if (name !== 'unauthenticatedMs')
      expect(withLimits({ [name]: 0 })).toMatch(
        new RegExp(`^limits\\.${name} must be at least \\d+, found 0$`),
      );
    expect(withLimits({ [name]: '1' })).toMatch(
      new RegExp(`^limits\\.${name} must be at least \\d+, found 1$`),
    );
  }
  expect(withLimits({ requestBytes: 1023 })).toBe('limits.requestBytes must be at least 1024, found 1023');
  expect(withLimits({ requestBytes: 1024, clients: 1, unauthenticatedMs: 0 })).toBeUndefined();
  expect(withLimits({ requestByte: 4096 })).toBe("limits: there is no key 'requestByte'");
});
