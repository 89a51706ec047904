import * as field from '../fields.ts';
import { tlsFiles } from './tls-files.ts';

export const agentSchema = field.section(
  {
    port: field.port({ about: 'API, metrics and dashboard.', default: 7080 }).optional(),
    bind: field
      .listenAddresses({
        about:
          'Addresses the API listens on. Other machines need the token in STATE/api-token; beyond loopback the spec needs security.secret, or ssh for every host.',
        default: '127.0.0.1',
      })
      .optional(),
    tls: tlsFiles(
      'TLS for the API and the dashboard: agents know each other, and scripts the agents, by the authority.',
    ),
    hangAfter: field
      .duration(
        { about: 'A server that answers nothing for this long is killed.', default: '5s' },
        { minMs: 1000, maxMs: 600_000 },
      )
      .optional(),
    restarts: field
      .section(
        {
          limit: field
            .whole({ about: 'Restarts of one process; 0 never restarts.', default: 5 }, 0, 1000)
            .optional(),
          within: field
            .duration(
              { about: 'The window in which they count.', default: '1m' },
              { minMs: 1000, maxMs: 86_400_000 },
            )
            .optional(),
        },
        'More restarts than `limit` within the window: the process is `failed` until a person acts.',
      )
      .nullish(),
  },
  'The daemon that runs once on each host.',
);
