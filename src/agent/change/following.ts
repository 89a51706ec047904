/**
 * Whether those that are to follow a new primary can, and do what they are told: asked before anything is changed, because
 * a change of primary that a member can't follow leaves that one with old data, and the new primary with a replica less.
 */
import type { MemberClient } from '../../redis/member-client.ts';
import { ownUserName } from '../../spec/secrets.ts';
import { isKnownNow, type MemberView, namedPrimary, type View } from '../../topology/view.ts';
import { SwitchoverRefused } from '../errors.ts';
import { differentLogin, type LoginSecrets } from '../settings/compare-settings.ts';

/** A member that may have to follow another one. */
interface Follower {
  readonly place: { id: string };
  readonly watch: { readonly client: Pick<MemberClient, 'following'> };
}

export interface FollowSetting {
  readonly secrets: LoginSecrets;
}

/**
 * The error that names those who could not follow, or would not; undefined when all can, as far as they answer. A replica that
 * has no link already is not asked: it loses nothing.
 */
export async function refusalToFollow(
  { members, setting }: { readonly members: readonly Follower[]; readonly setting: FollowSetting },
  view: View,
  to: string | null,
): Promise<Error | undefined> {
  const named = namedPrimary(view)?.id;
  const asked = members.filter(({ place }) => {
    const seen = view.members.find(({ id }) => id === place.id);
    return seen !== undefined && isToBeAsked(seen, named);
  });
  const found = await Promise.all(asked.map((member) => whyNot(member, setting.secrets, to)));
  const reasons = found.filter((reason) => reason !== undefined);
  if (reasons.length === 0) return undefined;
  return SwitchoverRefused(`no switchover: ${reasons.join('; ')}`, {
    hint: 'holdfast apply gives back what somebody changed there. Nothing was changed now.',
  });
}

/** The ids of replicas that have no link and, by their own word, another login than a primary takes. Waiting gives them none. */
export async function unableToLogIn(
  { members, setting }: { readonly members: readonly Follower[]; readonly setting: FollowSetting },
  view: View,
): Promise<ReadonlySet<string>> {
  const unlinked = view.members.filter(
    (seen) => isKnownNow(seen) && !seen.busy && seen.role === 'replica' && !seen.linkUp && !seen.syncing,
  );
  const ids = new Set(unlinked.map(({ id }) => id));
  const found = await Promise.all(
    members.map(async ({ place: { id }, watch }) => {
      if (!ids.has(id)) return [];
      const said = await watch.client.following().catch(() => null);
      return said === null || logsIn(said, setting.secrets) ? [] : [id];
    }),
  );
  return new Set(found.flat());
}

function isToBeAsked(member: MemberView, named: string | undefined): boolean {
  return isKnownNow(member) && !member.busy && (member.id === named || member.linkUp);
}

async function whyNot(
  { place: { id }, watch }: Follower,
  secrets: LoginSecrets,
  to: string | null,
): Promise<string | undefined> {
  // Whoever does not answer is not waited for either when it is to follow.
  const said = await watch.client.following().catch(() => null);
  if (said === null) return undefined;
  if (said.refusal !== null) {
    return `${id} does not let the agent say whom it follows (${said.refusal}): somebody took rights from the user ${ownUserName('agent')} there`;
  }
  if (id === to || logsIn(said, secrets)) return undefined;
  return `${id} could not follow another primary: somebody changed its masteruser or masterauth`;
}

function logsIn({ user, password }: { user: string; password: string }, secrets: LoginSecrets): boolean {
  return differentLogin({ masteruser: user, masterauth: password }, secrets).length === 0;
}
