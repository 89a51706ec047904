import { z } from 'zod';
import * as field from '../fields.ts';

const route = field.section(
  {
    to: field.text(
      {
        about:
          'Who has these keys: a server, the read-write port of a gate or proxy, or what Sentinels watch.',
      },
      /^(rediss?:\/\/([^@/:\s%]*@)?[^@/,\s]+\/?|sentinels?:\/\/([^@/:\s%]*@)?[^@/\s]+\/[A-Za-z0-9._-]+)$/,
      'redis://[user@]host:port or sentinel://[user@]host:port,host:port/NAME; with TLS rediss:// or sentinels://',
    ),
    prefixes: field.prefixList('What its keys begin with. Of several routes the longest wins.'),
    removePrefix: field
      .flag({ about: 'The target has the keys without their prefix.', default: false })
      .optional(),
    readsHere: field
      .flag({ about: 'Reads of its keys stay here, where a mirror keeps a copy of them.', default: false })
      .optional(),
    password: field
      .secretSource('Of the user that every client is there. Omit it: each is who it is here.')
      .optional(),
    ca: field.targetCa(),
  },
  'Keys that are elsewhere.',
);

export const routesSchema = z
  .record(field.shortName("a route's name"), route, {
    error: 'a map of names to { to: redis://…, prefixes: […] }',
  })
  .describe('Keys that are at another deployment or server. Omit it for none.')
  .optional();
