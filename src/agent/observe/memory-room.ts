/**
 * Whether a server has room for more data, from INFO. Redis refuses commands that may need memory with OOM once what it
 * uses, without what goes to replicas and the AOF, is above `maxmemory` and nothing may be evicted. A command's own
 * arguments count while it runs, so that a long value is refused a little below the limit; the count of OOM errors
 * tells of those. Source: redis src/evict.c (getMaxmemoryState), INFO's sections memory and errorstats.
 */
import { describeSize } from '../../base/size.ts';
import type { Info } from '../../redis/info.ts';
import type { MemoryRoom } from '../../topology/view.ts';

/** From here on a person wants to know. */
const scarceShare = 0.95;
/** After writes were refused it is full until there is at least so much room. */
const freedShare = 0.99;

/** @param before what the same server said last. */
export function memoryRoomOf(info: Info, before: MemoryRoom | null): MemoryRoom {
  const maxBytes = Number(info['maxmemory'] ?? 0);
  const policy = info['maxmemory_policy'] ?? 'noeviction';
  const refused = Number(/count=(\d+)/.exec(info['errorstat_OOM'] ?? '')?.[1] ?? 0);
  const used = Number(info['used_memory'] ?? 0) - Number(info['mem_not_counted_for_evict'] ?? 0);
  const share = maxBytes > 0 ? used / maxBytes : 0;
  const refuses = before !== null && refused > before.refused;
  return { maxBytes, policy, refused, level: levelOf(share, policy, refuses, before?.level === 'full') };
}

function levelOf(share: number, policy: string, refuses: boolean, wasFull: boolean): MemoryRoom['level'] {
  if (share < scarceShare) return 'ample';
  // One that evicts is always near its limit; only a refusal says that it found nothing to evict.
  if (refuses || (wasFull && share >= freedShare)) return 'full';
  if (policy !== 'noeviction') return 'ample';
  return share >= 1 ? 'full' : 'scarce';
}

/** What a person reads of a primary without ample room; without figures that change each second. */
export function memoryTrouble(id: string, { level, maxBytes, policy }: MemoryRoom): string {
  const limit = `its maxmemory of ${describeSize(maxBytes)} (${policy})`;
  if (level === 'full') return `${id} is at ${limit}: writes are refused with OOM`;
  return `${id} has used more than ${Math.round(scarceShare * 100)} % of ${limit}: beyond it writes are refused`;
}
