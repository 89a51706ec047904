/**
 * The commands by which one Sentinel asks another for its vote and tells it of a new primary; what they mean is in
 * topology/election/. Source: Redis's sentinel.c (sentinelCommand, sentinelPublishCommand).
 */
import type { Caller } from './connection.ts';
import { type Address, addressOf } from './endpoint.ts';
import { RedisRefused } from './errors.ts';
import { fieldsOf } from './sentinel-replies.ts';

/** Another Sentinel, as one lists it. */
export interface Colleague extends Address {
  runId: string;
}

/** Where Sentinels listen, at every member, for what other Sentinels say. */
export const helloChannel = '__sentinel__:hello';

/**
 * Asks a Sentinel for its vote on who replaces the primary at this address, as this very Sentinel names it.
 * @returns the run id that it voted for last, and in which epoch. @throws REDIS_REFUSED when it answers anything else
 */
export async function askForVote(
  connection: Caller,
  primary: Address,
  epoch: number,
  runId: string,
): Promise<{ votedFor: string; epoch: number }> {
  const { address, port } = primary;
  const reply = await connection.call('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', address, port, epoch, runId);
  const [, votedFor, votedIn] = Array.isArray(reply) ? reply : [];
  if (typeof votedFor !== 'string' || typeof votedIn !== 'number') {
    throw RedisRefused('a Sentinel answered the question for its vote with something that is no vote');
  }
  return { votedFor, epoch: votedIn };
}

/** Tells a Sentinel, in the name of a colleague, who is primary. @param text the message: topology/election/turn.ts */
export async function sayHello(connection: Caller, text: string): Promise<void> {
  await connection.call('PUBLISH', helloChannel, text);
}

/** The other Sentinels that this one knows. @param name the deployment's */
export async function listColleagues(connection: Caller, name: string): Promise<Colleague[]> {
  const reply = await connection.call('SENTINEL', 'SENTINELS', name);
  return (Array.isArray(reply) ? reply : []).flatMap((entry) => {
    const fields = fieldsOf(entry);
    const address = addressOf(fields?.['ip'], fields?.['port']);
    const runId = fields?.['runid'];
    return address && runId ? [{ ...address, runId }] : [];
  });
}
