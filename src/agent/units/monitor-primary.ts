import { sentinelSettings } from '../../render/sentinel-conf.ts';
import type { Deployment, LiveSentinel } from '../deployment.ts';

/**
 * Tells a running Sentinel what it is to watch, and with which settings: what its sentinel.conf said in the beginning.
 * Replicas and colleagues it finds by itself, and its colleagues tell it the epoch, within some 2 s.
 * @param primaryId the member that is primary. @throws REDIS_REFUSED, REDIS_UNREACHABLE
 */
export async function monitorPrimary(deployment: Deployment, id: string, primaryId: string): Promise<void> {
  const { spec, secrets } = deployment.setting;
  const { watch } = deployment.sentinels.find(({ place }) => place.id === id) as LiveSentinel;
  const { client } = watch;
  watch.noteTold();
  if (!watch.seen.watchesNothing) await client.remove();
  await client.monitor(deployment.member(primaryId).place, spec.sentinel.quorum);
  for (const [option, value] of sentinelSettings(spec, secrets)) await client.set(option, String(value));
  await watch.look();
}
