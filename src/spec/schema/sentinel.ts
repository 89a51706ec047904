import * as field from '../fields.ts';

/**
 * Sentinels alone end what a dead agent left behind after twice this (a vote that was not used), or after `detectAfter` and
 * 20 s (a hello without a promotion). With 12 s both take about the same, and it is above the 10 s that a Sentinel gives
 * an election of its own. Nothing else waits for it: with an agent nobody does.
 */
export const usualFailoverTimeoutMs = 12_000;

/** The shortest detection that is safe; docs/failover.md has what decides it. The one place where it stands. */
export const minDetectAfterMs = 3000;

export const sentinelSchema = field.section(
  {
    count: field
      .whole(
        {
          about:
            'How many Sentinels, on this machine: an odd number from 3. With topology: mirror also 0, on one host or several: then a person says who leads.',
          default: 3,
        },
        0,
        49,
      )
      .optional(),
    on: field
      .hostList('Hosts of the Sentinels. Default: the first odd number of hosts, at least three.')
      .optional(),
    ids: field.idList('sentinel').optional(),
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
          about:
            "Sentinel's failover-timeout: after a vote the Sentinels begin no failover within twice this. Or twice detectAfter, if that is more.",
          default: '12s',
        },
        { minMs: 5000, maxMs: 3_600_000 },
      )
      .optional(),
  },
  'The Sentinels, which decide who is primary.',
);
