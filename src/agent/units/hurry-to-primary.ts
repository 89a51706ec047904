/**
 * A replica that has just started connects to its primary when its cron comes by, once a second (replicationCron in Redis's
 * replication.c). The turns that loading takes count for the cron (whileBlockedCron in server.c), so one that had data to
 * load does nothing for up to a second, and with `minReplicasToWrite` the first write waits for that. REPLICAOF connects at
 * once (replicationSetMaster), but not when it names whom the replica follows already. So it is told to follow itself and
 * then its primary again, in one write: nothing comes between the two.
 */
import type { MemberClient } from '../../redis/member-client.ts';
import type { Member } from '../../spec/spec.ts';
import { tellBehindStart, type Wish } from './behind-start.ts';

/** To one that loads for longer a second means nothing. */
const withinMs = 60_000;

/** What `ROLE` calls the link of a replica that has yet to connect. */
const yetToConnect = 'connect';

type Client = Pick<MemberClient, 'role' | 'followAnew' | 'close'>;

/**
 * Waits until the replica answers, and has it connect if it has not yet. Once: when the primary turns it down it asks
 * again by itself. @param client a connection of its own, which is closed
 */
export async function hurryToPrimary(
  client: Client,
  own: Pick<Member, 'address' | 'port'>,
  wish: Wish,
): Promise<void> {
  const hurry = async () => {
    const role = await client.role();
    if (role.role === 'replica' && role.link === yetToConnect)
      await client.followAnew({ address: role.primaryAddress, port: role.primaryPort }, own);
  };
  await tellBehindStart(client, hurry, wish, withinMs);
}
