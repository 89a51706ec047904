import { z } from 'zod';
import * as field from '../fields.ts';
import { routesSchema } from './routes.ts';

const limits = field.section(
  {
    maxClients: field.whole({ about: 'Client connections.', default: 10_000 }, 1, 1_000_000).optional(),
    maxHeld: field
      .size(
        { about: 'Requests and replies waiting in the gate, all clients together.', default: '512mb' },
        1024,
      )
      .optional(),
    maxBulk: field.size({ about: 'The longest single argument.', default: '512mb' }, 1024).optional(),
    maxReplies: field
      .size({ about: 'Replies waiting for one slow reader.', default: '64mb' }, 1024)
      .optional(),
  },
  'Bounds of the gate; going over one closes that client, or refuses that command.',
);

const virtual = field.text(
  { about: 'An address of the network that nobody has, maybe with /bits.' },
  /^[0-9a-fA-F.:]+(\/\d{1,3})?$/,
  'an IP address, maybe with /bits, such as 10.0.1.200/24',
);

const virtualAddress = z.union(
  [
    virtual,
    field.section(
      {
        address: virtual,
        interface: field
          .text(
            { about: 'Network interface. Default: the one that has the host’s address.' },
            /^[^\s/]{1,15}$/,
            'the name of a network interface, such as eth0',
          )
          .optional(),
        router: field
          .whole({ about: 'VRRP router id, unlike any other on the network.', default: 51 }, 1, 254)
          .optional(),
      },
      'An address that is on one host with a gate at a time.',
    ),
  ],
  { error: 'an IP address such as 10.0.1.200/24, or a map with address, interface and router' },
);

export const gateSchema = field.section(
  {
    on: field
      .hostList('Hosts of the gates. Default: all. An empty list: gates run elsewhere, without an agent.', 0)
      .optional(),
    ids: field.idList('gate').optional(),
    kind: field
      .choice(['gate', 'haproxy'], { about: "holdfast's own gate, or HAProxy.", default: 'gate' })
      .optional(),
    port: field
      .port({
        about:
          'The read-write port: always the primary. Default: 6380, or the first free pair of ports above.',
      })
      .optional(),
    replicaPort: z
      .union([z.int().min(1).max(65_535), z.literal('none')], {
        error: 'a whole number from 1 to 65535, or none',
      })
      .meta({ description: 'The read-only port, or none. Default: the port after `port`.' })
      .optional(),
    hold: field
      .duration({ about: 'How long a command may wait for a primary.', default: '10s' }, { maxMs: 600_000 })
      .optional(),
    inflightWrites: field
      .choice(['fail', 'retry-idempotent'], {
        about: 'What becomes of a write that the lost primary had not answered.',
        default: 'fail',
      })
      .optional(),
    durability: field
      .choice(['async', 'replicated'], {
        about: 'replicated: a write is acknowledged once every replica in sync has it.',
        default: 'async',
      })
      .optional(),
    workers: field.whole({ about: 'Processes that share the port.', default: 1 }, 1, 64).optional(),
    maxLag: field
      .duration(
        { about: 'A replica further behind serves no reads at the read-only port.', default: '10s' },
        { minMs: 1000, maxMs: 86_400_000 },
      )
      .optional(),
    replicaFallback: field
      .choice(['primary', 'error'], {
        about: 'The read-only port when no replica is fit.',
        default: 'primary',
      })
      .optional(),
    statsPort: z
      .union([z.int().min(1).max(65_535), z.literal('none')], {
        error: 'a whole number from 1 to 65535, or none',
      })
      .meta({
        description: "HAProxy's page of statistics, on loopback; only with kind: haproxy.",
        default: 8404,
      })
      .optional(),
    clientCertificates: field
      .choice(['none', 'required'], {
        about: 'required: clients show a certificate of the authority of security.tls, or are not let in.',
        default: 'none',
      })
      .optional(),
    virtualAddress: virtualAddress
      .describe('An address that one host with a gate has at a time: keepalived moves it (VRRP).')
      .optional(),
    limits: limits.nullish(),
    routes: routesSchema,
  },
  'The front door that clients connect to.',
);
