/** `replica-priority`: what keeps Sentinels from promoting a member. */
import type { ConnectionOptions } from '../redis/connection.ts';
import type { TlsTexts } from '../redis/endpoint.ts';
import { MemberClient } from '../redis/member-client.ts';
import { SentinelClient } from '../redis/sentinel-client.ts';

export const usualPriority = 100;
export const neverPromoted = 0;

export async function setPriority(connection: ConnectionOptions, priority: number): Promise<void> {
  const client = new MemberClient(connection);
  try {
    await client.setConfig('replica-priority', String(priority));
  } finally {
    client.close();
  }
}

/** The priorities that a Sentinel knows of, by port. */
export async function knownPriorities(
  { address, port }: { address: string; port: number },
  name: string,
  tls: TlsTexts | undefined,
): Promise<Map<number, number>> {
  const client = new SentinelClient({ endpoint: { host: address, port }, tls }, name);
  try {
    const replicas = await client.replicas();
    return new Map(replicas.map((replica) => [replica.port, replica.priority]));
  } finally {
    client.close();
  }
}
