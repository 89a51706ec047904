/**
 * What clients were told is on a primary, and whether its successor has it. Pure.
 *
 * A server that is made a primary notes the history that it leaves, and how far it had it (`master_replid2`, `second_repl_offset`:
 * replicationUnsetMaster and shiftReplicationId in replication.c). One that was in sync with the primary before leaves that one's
 * history. One that leaves, or still has, the history which that one had left itself never copied from it: it lacks all
 * that was written since.
 */
import { isNoHistory, type ReplicationInfo } from '../../redis/info.ts';

/** Of a primary: its history when it began, and the offset up to which writes were acknowledged; null while none was. */
export interface Reign {
  id: string;
  history: Pick<ReplicationInfo, 'replId' | 'replIdBefore' | 'offsetBefore'>;
  acknowledged: number | null;
}

/**
 * How much of what was acknowledged a primary lacks, in bytes of the replication stream.
 * @returns 0 when it has all, or nobody can tell: other primaries may have been between the two, or the server was started again
 */
export function lacking(before: Reign, now: ReplicationInfo): number {
  const { history, acknowledged } = before;
  if (acknowledged === null || now.role !== 'primary') return 0;
  if (now.replIdBefore === history.replId) return Math.max(0, acknowledged - now.offsetBefore);
  if (isNoHistory(history.replIdBefore)) return 0;
  const neverCopied = [now.replId, now.replIdBefore].includes(history.replIdBefore);
  return neverCopied ? Math.max(0, acknowledged - history.offsetBefore) : 0;
}
