import { z } from 'zod';
import * as field from '../fields.ts';

export const mirrorsSchema = z
  .record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, {
      error: "a mirror's name: letters, digits, '_' and '-', at most 32",
    }),
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
        maxRate: field.size({ about: 'Read no more than so many bytes a second.' }, 1024).optional(),
      },
      'One copy elsewhere.',
    ),
    { error: 'a map of names to { to: redis://… }' },
  )
  .describe('Copies that follow this deployment: every write, in order, exactly once. Omit it for none.');
