/**
 * A standalone member (`topology: mirror`) says in its data whom it follows, and one that was the lead, or lost its data, says
 * nothing. So as soon as it answers behind its start it is told: it follows, or it follows nobody.
 */
import type { MemberClient } from '../../redis/member-client.ts';
import type { Member } from '../../spec/spec.ts';
import { tellBehindStart, type Wish } from './behind-start.ts';

/**
 * Until it was told, or is not wanted any more.
 * @param client a connection of its own, which is closed. @param primary null: it leads. @param epoch by which it does, or that one
 */
export async function settleRole(
  client: Pick<MemberClient, 'replicaOf' | 'close'>,
  primary: Member | null,
  wish: Wish,
  epoch?: number,
): Promise<void> {
  await tellBehindStart(client, () => client.replicaOf(primary, epoch), wish);
}
