import * as field from '../fields.ts';

/** The shortest detection that is safe; docs/failover.md explains the race behind it. */
export const minDetectAfterMs = 3000;

export const sentinelSchema = field.section(
  {
    count: field
      .whole({ about: 'How many Sentinels, on this machine: an odd number from 3.', default: 3 }, 1, 49)
      .optional(),
    on: field
      .hostList('Hosts of the Sentinels. Default: the first odd number of hosts, at least three.')
      .optional(),
    port: field.port({ about: 'Port of the first Sentinel on each host.', default: 26379 }).optional(),
    quorum: field
      .whole({ about: 'How many Sentinels must agree that the primary is down. Default: a majority.' }, 1, 49)
      .optional(),
    detectAfter: field
      .duration(
        { about: 'Silence after which a Sentinel calls a server down; at least 3s.', default: '3s' },
        { maxMs: 600_000 },
      )
      .optional(),
    failoverTimeout: field
      .duration(
        {
          about: "Sentinel's failover-timeout; no second failover starts within twice this.",
          default: '30s',
        },
        { minMs: 5000, maxMs: 3_600_000 },
      )
      .optional(),
  },
  'The Sentinels, which decide who is primary.',
);
