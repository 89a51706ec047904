import { expect, test } from 'vitest';
import type { ServerVersion } from '../process/programs.ts';
import { differenceFrom } from './server-program.ts';

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
