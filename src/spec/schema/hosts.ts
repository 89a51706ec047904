import { z } from 'zod';
import * as field from '../fields.ts';

export const hostsSchema = z
  .record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, {
      error: "a host's name: letters, digits, '.', '_' and '-', at most 63",
    }),
    field.section(
      {
        address: field.address(
          'What the other hosts and clients connect to; all IP addresses or all hostnames.',
        ),
        bind: field
          .listenAddresses({
            about: 'Local addresses to listen on, when `address` is not one of them (NAT, containers).',
          })
          .optional(),
        ssh: field
          .text(
            { about: 'Where ssh reaches the host, such as ec2-user@10.0.1.55.' },
            /^[^\s-][^\s]*$/,
            'user@host',
          )
          .optional(),
      },
      'One machine.',
    ),
    { error: 'a map of host names to { address: … }' },
  )
  .describe('The machines, by a name of your own. Omit it and everything runs on this machine.');
