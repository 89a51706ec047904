import { z } from 'zod';
import * as field from '../fields.ts';
import { tlsFilesOrAuto } from './tls-files.ts';

export const securitySchema = field.section(
  {
    users: z
      .record(
        z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/, {
          error: "a user's name: letters, digits, '_', '.', '@' and '-'",
        }),
        field.section(
          {
            password: field.secretSource('Where the password comes from.'),
            formerPassword: field
              .secretSource('The one before, valid beside it until this is taken out.')
              .optional(),
            acl: field
              .text(
                { about: 'ACL rules: keys, channels, commands.', default: '~* &* +@all -@dangerous +info' },
                /^[^\r\n\0]+$/,
                'ACL rules on one line, such as "~app:* +@read +@write"',
              )
              .optional(),
          },
          'One ACL user.',
        ),
        { error: 'a map of user names to { password: … }' },
      )
      .describe('ACL users for applications.')
      .nullish(),
    secret: field
      .secretSource('What the passwords of holdfast’s own users are made from; the same on every host.')
      .optional(),
    tls: tlsFilesOrAuto('TLS for clients, replication and Sentinels; auto: for the API too.'),
  },
  'Users, passwords and certificates. Passwords themselves are never in the spec.',
);
