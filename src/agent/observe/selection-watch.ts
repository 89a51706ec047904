/**
 * From a selection to the promotion it is about everything is awaited that the usual pace of looking would bring a
 * second late: the owner of the selected replica acts once the old primary is known to be gone, and the owners of the
 * others once the selected one is primary. What this host does itself it knows at once; of other hosts it must ask.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { namedPrimary } from '../../topology/view.ts';
import type { Deployment, LiveMember } from '../deployment.ts';

const lookEveryMs = 10;
const atMostMs = 3000;

/** To be called when a Sentinel selected a replica. Returns when nothing more is to be seen. */
export async function watchSelection(deployment: Deployment): Promise<void> {
  const { selection } = deployment;
  if (selection === null) return;
  const old = namedPrimary(deployment.view())?.id;
  const watched = deployment.members.filter(
    ({ part, place }) => part === null && (place.id === selection.member || place.id === old),
  );
  await Promise.all(watched.map((member) => lookOften(deployment, member, selection)));
}

async function lookOften(
  deployment: Deployment,
  { watch, place }: LiveMember,
  selection: { member: string },
): Promise<void> {
  const untilMs = performance.now() + atMostMs;
  const settled = () =>
    place.id === selection.member ? watch.seen.role === 'primary' : !watch.seen.reachable;
  while (deployment.selection === selection && performance.now() < untilMs) {
    await watch.look();
    deployment.wake();
    if (settled()) return;
    await delay(lookEveryMs);
  }
}
