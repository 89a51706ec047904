/**
 * What somebody told a Sentinel of this host by hand (SENTINEL SET, MONITOR), and the spec does not say: settings are set
 * back, so that all of them act alike; another name under which it watches a member of ours is told, since under that name
 * it would replace the primary on its own. How long it waits for a primary is change/patience.ts's to look at.
 */

import type { SentinelClient } from '../../redis/sentinel-client.ts';
import { sentinelSettings } from '../../render/sentinel-conf.ts';
import type { SentinelPlace, Spec } from '../../spec/spec.ts';
import type { Deployment } from '../deployment.ts';

/** SENTINEL MASTER shows no passwords. */
const shown = new Set(['failover-timeout', 'parallel-syncs']);

export type Told = Pick<SentinelClient, 'settings' | 'set' | 'watched'>;

/** For housekeeping. Never throws: who does not answer is asked again later. */
export async function setBackSentinels(deployment: Deployment): Promise<void> {
  const { setting, sentinels, operations, events, troubles } = deployment;
  if (operations.current !== null) return;
  for (const { place, unit, watch } of sentinels) {
    if (!unit?.process.running || !watch.seen.reachable) continue;
    const wanted = [...sentinelSettings(setting.spec, setting.secrets), quorumOf(setting.spec)];
    const changed = await setBack(watch.client, wanted).catch(() => []);
    if (changed.length > 0) {
      const text = `${place.id} had been told ${changed.join(', ')}; set back to what the spec says`;
      events.add('sentinel-set-back', place.id, text);
    }
    const trouble = await otherName(deployment, place, watch.client).catch(() => undefined);
    if (trouble !== undefined) troubles.note(`names of ${place.id}`, trouble);
  }
}

function quorumOf({ sentinel }: Spec): [string, number] {
  return ['quorum', sentinel.quorum];
}

/** @returns what it had instead, in words. */
export async function setBack(
  client: Omit<Told, 'watched'>,
  wanted: readonly (readonly [string, string | number])[],
): Promise<string[]> {
  const found = await client.settings();
  const changed: string[] = [];
  for (const [option, value] of wanted) {
    const now = found[option];
    if (now === undefined || now === String(value) || (option !== 'quorum' && !shown.has(option))) continue;
    await client.set(option, String(value));
    changed.push(`${option} ${now}`);
  }
  return changed;
}

/** That it watches a member of ours under another name, as a sentence; null when it does not. */
export async function otherName(
  deployment: Pick<Deployment, 'spec' | 'memberAt'>,
  { id, port }: Pick<SentinelPlace, 'id' | 'port'>,
  client: Pick<Told, 'watched'>,
): Promise<string | null> {
  for (const { name, ...where } of await client.watched()) {
    const member = name === deployment.spec.name ? undefined : deployment.memberAt(where)?.place.id;
    if (member === undefined) continue;
    return `${id} watches ${member} under the name ${name} too, and would replace it on its own: redis-cli -p ${port} SENTINEL REMOVE ${name} ends that`;
  }
  return null;
}
