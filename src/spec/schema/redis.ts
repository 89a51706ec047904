import { z } from 'zod';
import * as field from '../fields.ts';

const configValue = z.union([z.string(), z.number(), z.boolean()]);

export const redisSchema = field.section(
  {
    members: field.whole({ about: 'How many redis-servers, on this machine.', default: 3 }, 1, 50).optional(),
    on: field
      .hostList('Hosts of the members, one member per entry; the first starts as primary. Default: all.')
      .optional(),
    ids: field.idList('redis').optional(),
    engine: field
      .choice(['redis', 'valkey'], {
        about: 'Whose servers are run. Default: Redis if it is installed, else Valkey.',
      })
      .optional(),
    binary: field
      .text(
        {
          about: 'The server to run: a path, or a name on the PATH. Default: redis-server or valkey-server.',
        },
        /^[^\0\r\n]+$/,
        'the path or the name of a redis-server or valkey-server',
      )
      .optional(),
    version: field
      .text(
        {
          about: 'The version that the server must have, whole or its beginning, such as "7.0".',
        },
        /^\d{1,3}(\.\d{1,3}){0,2}$/,
        'a version in quotes, such as "7.0" or "8.0.1"',
      )
      .optional(),
    port: field.port({ about: 'Port of the first member on each host.', default: 6379 }).optional(),
    maxMemory: field
      .size({ about: "Redis's maxmemory, for each member. Default: none is set." }, 1024 * 1024)
      .optional(),
    maxMemoryPolicy: field
      .choice(
        [
          'noeviction',
          'allkeys-lru',
          'allkeys-lfu',
          'allkeys-random',
          'volatile-lru',
          'volatile-lfu',
          'volatile-random',
          'volatile-ttl',
        ],
        { about: 'What Redis does when maxMemory is reached.', default: 'noeviction' },
      )
      .optional(),
    persistence: field
      .choice(['none', 'rdb', 'aof-everysec', 'aof-always'], {
        about: 'How data reaches the disk.',
        default: 'aof-everysec',
      })
      .optional(),
    save: z
      .array(
        field.text(
          { about: 'Seconds and changes.' },
          /^[1-9]\d{0,8} \d{1,9}$/,
          'seconds and changes, such as "900 1"',
        ),
        { error: 'a list of "seconds changes", such as ["1800 1", "900 1000"]' },
      )
      .meta({
        description: 'When an RDB is saved: after so many seconds with so many changes.',
        default: ['3600 1', '300 100', '60 10000'],
      })
      .optional(),
    minReplicasToWrite: field
      .whole(
        {
          about:
            'The primary refuses writes with fewer replicas in touch. Default: 1 with three or more members, else 0.',
        },
        0,
        49,
      )
      .optional(),
    minReplicasMaxLag: field
      .duration(
        { about: 'A replica silent for longer does not count for minReplicasToWrite.', default: '10s' },
        { minMs: 2000, maxMs: 3_600_000, seconds: true },
      )
      .optional(),
    config: z
      .record(
        z.string().regex(/^[A-Za-z][A-Za-z0-9._-]*$/, { error: 'the name of a redis.conf directive' }),
        z.union([configValue, z.array(configValue).min(1)], {
          error: 'text, a number, true or false, or a list of them (one line each)',
        }),
        { error: 'a map of redis.conf directives' },
      )
      .describe('Any other redis.conf directive, passed through.')
      .nullish(),
  },
  'The redis-servers.',
);
