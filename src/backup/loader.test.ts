import { expect, test } from 'vitest';
import { findLoader, loadsBackup } from './loader.ts';

const of = (serverVersion: string, rdbVersion: number) => ({ id: 'redis_x', serverVersion, rdbVersion });

test.each([
  ['redis 8.6.3', of('redis 8.6.3', 13), true],
  ['redis 8.4.0', of('redis 8.6.3', 13), false],
  ['redis 7.0.15', of('redis 6.2.16', 9), true],
  ['valkey 8.0.1', of('redis 7.0.15', 10), true],
  ['valkey 9.1.2', of('redis 8.0.6', 12), false],
  ['valkey 9.0.0', of('valkey 9.1.2', 80), true],
  ['redis 8.6.3', of('valkey 9.1.2', 80), false],
  // Newer than anything that is known here: who wrote it loads it, and so does what comes after.
  ['redis 9.2.1', of('redis 9.2.1', 17), true],
  ['redis 9.10.0', of('redis 9.2.1', 17), true],
  ['redis 9.2.0', of('redis 9.2.1', 17), false],
])('%s and %j: %s', (version, manifest, loads) => {
  expect(loadsBackup(version, manifest)).toBe(loads);
});

test('when no server here loads it, those that were looked at are named', async () => {
  const finding = findLoader(of('redis 99.0.0', 50), '/nowhere/redis-server');
  await expect(finding).rejects.toMatchObject({
    code: 'BACKUP_NEEDS_NEWER_SERVER',
    message: expect.stringMatching(/taken from redis 99\.0\.0 in RDB version 50.*\/nowhere\/redis-server/),
  });
});
