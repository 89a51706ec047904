import type { z } from 'zod';
import * as field from './fields.ts';
import { agentSchema } from './schema/agent.ts';
import { backupSchema } from './schema/backup.ts';
import { gateSchema } from './schema/gate.ts';
import { hostsSchema } from './schema/hosts.ts';
import { mirrorTopologySchema } from './schema/mirror-topology.ts';
import { mirrorsSchema } from './schema/mirrors.ts';
import { redisSchema } from './schema/redis.ts';
import { securitySchema } from './schema/security.ts';
import { sentinelSchema } from './schema/sentinel.ts';
import { usualUser } from './usual-user.ts';

/**
 * The shape of holdfast.yaml, key by key: what editors complete and what is checked first. Rules about several keys
 * together are in rules/. schema/holdfast.schema.json is generated from this.
 */
export const specSchema = field
  .section(
    {
      name: field.text(
        { about: 'Name of the deployment; the Sentinels use it too.' },
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
        "a name of letters, digits, '.', '_' and '-', at most 63, starting with a letter or digit",
      ),
      topology: field
        .choice(['sentinel', 'mirror'], {
          about:
            'sentinel: replicas of one primary. mirror: standalone servers, of which one leads and the others get all that it does by a stream. Sentinels vote in both.',
          default: 'sentinel',
        })
        .optional(),
      mirror: mirrorTopologySchema.nullish(),
      hosts: hostsSchema.nullish(),
      runAs: field
        .text(
          {
            about: 'The user of the hosts that everything runs as, in a group of the same name.',
            default: usualUser,
          },
          /^[a-z_][a-z0-9_-]{0,31}$/,
          'the name of a user, in small letters',
        )
        .optional(),
      redis: redisSchema.nullish(),
      sentinel: sentinelSchema.nullish(),
      gate: gateSchema.nullish(),
      agent: agentSchema.nullish(),
      security: securitySchema.nullish(),
      backup: backupSchema.nullish(),
      mirrors: mirrorsSchema.nullish(),
    },
    'A highly available Redis, for holdfast.',
  )
  .meta({ title: 'holdfast.yaml' });

/** The file as written, after its shape was checked: defaults are not filled in yet. */
export type SpecFile = z.infer<typeof specSchema>;
