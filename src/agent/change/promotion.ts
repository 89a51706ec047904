/**
 * Promotes a member ahead of the Sentinel that selected it, and keeps that Sentinel from spoiling it.
 *
 * A tick after its selection a Sentinel sends the replica MULTI, SLAVEOF NO ONE, CONFIG REWRITE, CLIENT KILL TYPE
 * normal, CLIENT KILL TYPE pubsub, EXEC (sentinelSendSlaveOf in Redis's sentinel.c). By then the gates have sent it
 * writes, and each that is killed unanswered is one whose fate nobody can tell its client. So for the moment of a
 * promotion the Sentinels' user loses the right to CLIENT KILL there: their transaction is refused as a whole, and
 * there is nothing in it that has not been done. Without that right they could not demote the member later, so it
 * comes back when a majority names the new primary, after a few seconds at the latest, and whenever an agent starts.
 *
 * A planned change relies on the same refusal: the Sentinel asks once only, so the replica that it selected stays one
 * until whoever runs the change has seen the last write arrive there. If that one dies, the Sentinel gives up after
 * failoverTimeout, and the old primary, which nobody has touched, goes on.
 */
import { ownUserName } from '../../spec/secrets.ts';
import type { Deployment, LiveMember } from '../deployment.ts';

/** A Sentinel's selection and the drain after it take no longer than this in a planned change. */
const longestShieldMs = 6000;

export async function promoteShielded(deployment: Deployment, member: LiveMember): Promise<void> {
  await shield(deployment, member);
  await member.watch.client.replicaOf(null);
}

/** To be called early, so that it costs nothing later: a promotion of this member is about to come. */
export async function shield(deployment: Deployment, member: LiveMember): Promise<void> {
  const { id } = member.place;
  if (deployment.shielded.has(id)) return;
  const user = ownUserName('sentinel');
  await member.watch.client.connection.call('ACL', 'SETUSER', user, '-client', '+client|setname');
  const timer = setTimeout(() => void unshield(deployment, member), longestShieldMs);
  deployment.shielded.set(id, timer);
}

/** Gives the Sentinels' user back what it needs. Does no harm where it was not taken away. */
export async function unshield(deployment: Deployment, member: LiveMember): Promise<void> {
  clearTimeout(deployment.shielded.get(member.place.id));
  deployment.shielded.delete(member.place.id);
  const user = ownUserName('sentinel');
  // A member that is down reads its rights from its file when it starts.
  await member.watch.client.connection.call('ACL', 'SETUSER', user, '+client|kill').catch(() => {});
}

export async function unshieldAll(deployment: Deployment): Promise<void> {
  const shielded = deployment.members.filter(({ place }) => deployment.shielded.has(place.id));
  await Promise.all(shielded.map((member) => unshield(deployment, member)));
}
