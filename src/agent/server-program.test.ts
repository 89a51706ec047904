import { expect, test } from 'vitest';
import { findProgram, type ServerVersion } from '../process/programs.ts';
import { differenceFrom, findRedisServer } from './server-program.ts';

const redis: ServerVersion = { product: 'Redis', version: '7.0.15', major: 7, minor: 0 };
const any = { engine: null, binary: null, version: null };

test.each([
  [{}, undefined],
  [{ engine: 'redis' as const }, undefined],
  [{ engine: 'valkey' as const }, 'redis.engine: valkey'],
  [{ version: '7' }, undefined],
  [{ version: '7.0' }, undefined],
  [{ version: '7.0.15' }, undefined],
  [{ version: '7.0.1' }, 'redis.version: "7.0.1"'],
  [{ version: '7.2' }, 'redis.version: "7.2"'],
])('Redis 7.0.15 and a spec with %j', (choice, difference) => {
  expect(differenceFrom({ ...any, ...choice }, redis)).toBe(difference);
});

test.skipIf(findProgram('valkey-server'))(
  'an engine that is not installed is named, with how to get it',
  async () => {
    await expect(findRedisServer({ ...any, engine: 'valkey' })).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      message: 'the spec says redis.engine: valkey, but valkey-server is not installed, or not on the PATH',
      hint: expect.stringContaining('apt-get install valkey-server'),
    });
  },
);

test('a program that is not there is named by the key that names it', async () => {
  const choice = { ...any, engine: 'redis' as const, binary: '/nowhere/redis-server' };
  await expect(findRedisServer(choice)).rejects.toMatchObject({
    code: 'PROGRAM_MISSING',
    message: 'redis.binary names /nowhere/redis-server, which is not there, or is no program that can be run',
  });
});
