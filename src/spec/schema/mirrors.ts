import { z } from 'zod';
import * as field from '../fields.ts';

export const mirrorsSchema = z
  .record(
    field.shortName("a mirror's name"),
    field.section(
      {
        to: field.text(
          { about: 'The copy: a server, or the read-write port of a gate or proxy before it.' },
          /^rediss?:\/\/[^/\s]+\/?$/,
          'redis://[user@]host:port, or rediss:// for TLS',
        ),
        password: field.secretSource('Where the password there comes from.').optional(),
        ca: field.targetCa(),
        prefixes: field
          .prefixList('Mirror only the keys that begin with one of these; the target may hold other keys.')
          .optional(),
        how: field
          .choice(['stream', 'requests'], {
            about:
              'stream: what the primary executed, in order, exactly once. requests: copies of what clients ask, to try a server under real load; nobody waits for them.',
            default: 'stream',
          })
          .optional(),
        writes: z
          .union([z.literal(true), z.literal('all')], {
            error: 'true, or all: reads too, with how: requests',
          })
          .describe('What is copied with how: requests. true: what may write. all: reads too.')
          .optional(),
        percentage: field
          .whole(
            {
              about: 'With how: requests: of the keys, as many in a hundred, always the same ones.',
              default: 100,
            },
            1,
            100,
          )
          .optional(),
        queue: field
          .size(
            {
              about:
                'What comes while the copy is away waits on disk, up to so much; beyond it the copy may have to be filled anew.',
              default: '1gb',
            },
            2 ** 20,
          )
          .optional(),
        maxRate: field.size({ about: 'Read no more than so many bytes a second.' }, 1024).optional(),
      },
      'One copy elsewhere.',
    ),
    { error: 'a map of names to { to: redis://… }' },
  )
  .describe('Copies that follow this deployment: every write, in order, exactly once. Omit it for none.');
