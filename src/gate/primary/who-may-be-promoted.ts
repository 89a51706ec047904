import { isPromotable } from '../../redis/sentinel-replies.ts';
import type { Endpoint } from '../config.ts';
import { keyOf } from '../upstream/durability.ts';
import type { Eligibility } from '../upstream/in-sync.ts';
import type { OwnPriorities } from '../upstream/own-priorities.ts';
import type { Membership } from './members.ts';
import type { Witness } from './witness.ts';

/**
 * Which replicas at least one of the Sentinels that answer could promote, or that say of themselves that they may be: an
 * agent promotes such a one, whatever the Sentinels think of it. Without Sentinels: none.
 */
export async function whoMayBePromoted(
  sentinels: readonly Pick<Witness, 'replicas'>[],
  members: Pick<Membership, 'find' | 'all'>,
  priorities: Pick<OwnPriorities, 'eligible'>,
): Promise<Eligibility> {
  const lists = (await Promise.all(sentinels.map((each) => each.replicas()))).filter((list) => list !== null);
  const listed = lists.flat();
  const nameOf = (each: Endpoint) => keyOf(members.find(each) ?? each);
  const promotable = listed.filter(isPromotable);
  const eligible = new Set(promotable.map(nameOf));
  const heard = new Set(promotable.filter(({ isHeard }) => isHeard).map(nameOf));
  const others = listed.flatMap((each) => (eligible.has(nameOf(each)) ? [] : (members.find(each) ?? [])));
  for (const member of await priorities.eligible([...new Set(others)])) {
    eligible.add(keyOf(member));
    heard.add(keyOf(member));
  }
  return { asked: lists.length, eligible, heard };
}
