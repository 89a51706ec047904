/**
 * Whether a primary has everything that the one before it ever executed.
 *
 * Redis keeps a server's history in `master_replid`, and the one that it left for it, by going on where that ended, in
 * `master_replid2`. A primary that is made a replica asks its successor for what follows all that it has executed. When it is
 * let go on from there, it takes the successor's history and notes its own as the one before; when it is not, it gets a
 * full copy, and none is noted (`syncWithMaster`, `slaveTryPartialResynchronization`, `clearReplicationId2` in
 * replication.c). So a former primary that has the successor's history, and one before it, had nothing that the
 * successor has not.
 */
import { isNoHistory, parseInfo, type ReplicationInfo, replicationInfo } from '../../redis/info.ts';
import type { Link } from '../../redis/link.ts';

export function continues(before: ReplicationInfo, after: ReplicationInfo): boolean {
  return (
    after.role === 'primary' &&
    before.role === 'replica' &&
    before.replId === after.replId &&
    !isNoHistory(before.replIdBefore)
  );
}

/** @throws REDIS_UNREACHABLE, REDIS_REFUSED when one of them can't be asked */
export async function hasInherited(before: Link, after: Link): Promise<boolean> {
  const [was, is] = await Promise.all([before, after].map((link) => link.call(['INFO', 'replication'])));
  const [old, now] = [was, is].map((text) => replicationInfo(parseInfo(String(text)))) as [
    ReplicationInfo,
    ReplicationInfo,
  ];
  return continues(old, now);
}
