/**
 * A standalone member (`topology: mirror`) says in its data whom it follows, and one that was the lead, or lost its data, says
 * nothing. So as soon as it answers behind its start it is told: it follows, or it follows nobody.
 */
import { refusalKind } from '../../redis/errors.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import type { Member } from '../../spec/spec.ts';

const firstPauseMs = 4;
const longestPauseMs = 250;
const growth = 1.2;

/**
 * Until it was told, or is not wanted any more.
 * @param client a connection of its own, which is closed. @param primary null: it leads
 */
export async function settleRole(
  client: Pick<MemberClient, 'replicaOf' | 'close'>,
  primary: Member | null,
  { isWanted, pause }: { isWanted: () => boolean; pause: (ms: number) => Promise<unknown> },
): Promise<void> {
  try {
    for (let pauseMs = firstPauseMs; isWanted(); pauseMs = Math.min(longestPauseMs, pauseMs * growth)) {
      await pause(pauseMs);
      if (isWanted() && (await isTold(client, primary))) return;
    }
  } finally {
    client.close();
  }
}

async function isTold(client: Pick<MemberClient, 'replicaOf'>, primary: Member | null): Promise<boolean> {
  try {
    await client.replicaOf(primary);
    return true;
  } catch (error) {
    const refusal = refusalKind(error);
    // Not there yet, or it loads. Any other refusal is for good.
    return refusal !== undefined && refusal !== 'LOADING';
  }
}
