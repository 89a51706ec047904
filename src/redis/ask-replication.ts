import type { Caller } from './connection.ts';
import { parseInfo, type ReplicationInfo, replicationInfo } from './info.ts';

/** @throws REDIS_UNREACHABLE, REDIS_REFUSED */
export async function askReplication(server: Caller): Promise<ReplicationInfo> {
  return replicationInfo(parseInfo(String(await server.call('INFO', 'replication'))));
}
