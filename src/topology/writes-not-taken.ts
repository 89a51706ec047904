/** Whether a primary that answers takes no writes, for long enough to be told. Pure. */
import type { MemberView } from './view.ts';

export interface WritesNotTaken {
  code: 'writes-held' | 'writes-refused';
  /** A sentence, with what to do. No times in it: whoever is told of changes only is not told each second. */
  text: string;
}

/**
 * A switchover holds writes for some milliseconds, and after a failover the first replica may be on its way. Less than a look's
 * pace, so that two looks in a row tell.
 */
const toldAfterMs = 800;

export function writesNotTaken({
  id,
  writes,
}: Pick<MemberView, 'id' | 'writes'>): WritesNotTaken | undefined {
  if (writes === null || writes.forMs < toldAfterMs) return undefined;
  if (writes.code === 'refused')
    return { code: 'writes-refused', text: `${id} refuses every write: ${writes.said}` };
  const text = `${id} answers no write: its writes are paused (CLIENT PAUSE). CLIENT UNPAUSE at it ends that`;
  return { code: 'writes-held', text };
}
