import { ownUserName, type Secrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';

/**
 * What a spec says of every gate alike, in the words of the gate's configuration file (gate/config.ts, which fills in
 * what is not said). Its name and where it listens is for whoever places it to add.
 */
export function gateSettings(spec: Spec, { own, sentinelPassword }: Secrets) {
  const { holdMs, inflightWrites, durability, workers, maxLagMs, replicaFallback, limits } = spec.gate;
  return {
    members: spec.members.map(({ id, address, port }) => ({ id, address, port })),
    ...(spec.mirror === null
      ? {}
      : {
          standalone: true,
          readsAtPrimary: spec.mirror.read !== 'local',
          confirmsReads: spec.mirror.read === 'quorum',
          quorum: spec.mirror.ack === 'quorum',
        }),
    sentinels: spec.sentinels.map(({ address, port }) => ({ address, port })),
    memberCredentials: { username: ownUserName('gate'), password: own.gate },
    sentinelCredentials:
      sentinelPassword === null ? null : { username: 'default', password: sentinelPassword },
    holdMs,
    inflightWrites,
    durability,
    workers,
    maxLagMs,
    replicaFallback,
    limits: {
      clients: limits.maxClients,
      bulkBytes: limits.maxBulkBytes,
      totalBytes: limits.maxHeldBytes,
      replyBytes: limits.maxReplyBytes,
    },
  };
}
