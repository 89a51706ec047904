import { z } from 'zod';
import * as field from '../fields.ts';

const fault = field.section(
  {
    delay: field
      .duration(
        { about: 'Requests wait so long before they are sent, or answered.' },
        { minMs: 1, maxMs: 60_000 },
      )
      .optional(),
    error: field
      .text(
        { about: 'Requests are answered with this error, and not sent.' },
        /^[A-Z][\x20-\x7e]{0,255}$/,
        "a text that begins with a word in capitals, such as 'ERR made on purpose'",
      )
      .optional(),
    percentage: field.whole({ about: 'Of the requests.', default: 100 }, 1, 100).optional(),
    commands: z
      .array(z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/, { error: 'names of commands in small letters' }), {
        error: 'a list of commands, such as [get, mget]',
      })
      .min(1, { error: 'a list of commands, such as [get, mget]' })
      .describe('Which; every one when this is left out.')
      .optional(),
  },
  'Some requests that wait, or fail.',
);

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
    faults: z
      .array(fault, { error: 'a list of { delay, error, percentage, commands }' })
      .max(16, { error: 'at most 16 of them' })
      .describe('Made on purpose, to test applications. Omit it for none.')
      .optional(),
  },
  'Keys that are elsewhere.',
);

export const routesSchema = z
  .record(field.shortName("a route's name"), route, {
    error: 'a map of names to { to: redis://…, prefixes: […] }',
  })
  .describe('Keys that are at another deployment or server. Omit it for none.')
  .optional();
