import type { ConnectionOptions } from '../redis/connection.ts';
import { MemberClient } from '../redis/member-client.ts';

/** Sets a member's `replica-priority`; 0 keeps Sentinels from promoting it. */
export async function setPriority(connection: ConnectionOptions, priority: number): Promise<void> {
  const client = new MemberClient(connection);
  try {
    await client.setConfig('replica-priority', String(priority));
  } finally {
    client.close();
  }
}
