/** Whether there is room for the copies of members that are started beside those that run. Pure. */
import { describeSize } from '../../base/size.ts';
import type { AdoptionFacts } from './facts.ts';
import type { Refusal } from './refusal.ts';

/** What a copy takes besides the data: buffers, and what the primary writes while it forks. */
const extra = 1.2;
/** An RDB or AOF is written beside the one before. */
const filesOf = 2;

export function roomRefusals({ host, members, free }: AdoptionFacts): Refusal[] {
  const used = Math.max(0, ...members.map(({ running }) => running?.usedBytes ?? 0));
  const copies = members.filter(
    ({ place, running, problem }) => place.host === host && running === null && problem === null,
  ).length;
  if (copies === 0 || used === 0) return [];
  const where = 'the spec';
  const fix =
    'Start fewer members (redis.members), or make room: the server that runs would be the one to suffer.';
  const found: Refusal[] = [];
  const memory = used * copies * extra;
  const of = `${copies} ${copies === 1 ? 'copy' : 'copies'} of ${describeSize(used)}`;
  if (memory > free.memoryBytes) {
    const what = `${of} take ${describeSize(memory)} of memory, and ${describeSize(free.memoryBytes)} are free on this machine`;
    found.push({ where, what, fix });
  }
  if (used * copies * filesOf > free.diskBytes) {
    const what = `${of} may take ${describeSize(used * copies * filesOf)} of disk, and ${describeSize(free.diskBytes)} are free for the state directory`;
    found.push({ where, what, fix });
  }
  return found;
}
