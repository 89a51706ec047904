/** What a command says when a member does not let this agent in: which one, why, and how it lets it in again. */
import { refusalKind } from '../../redis/errors.ts';
import { howToLetIn } from '../../topology/condition.ts';
import type { MemberView } from '../../topology/view.ts';
import { AgentLockedOut } from '../errors.ts';

const loginRefusals = ['WRONGPASS', 'NOAUTH'];

/** Whether a server turned down a login, somewhere behind this error. */
export function isLoginRefused(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if (loginRefusals.includes(refusalKind(at) ?? '')) return true;
  return false;
}

/** The error that names those of them that do not let this agent in; undefined when all do, as far as is known. */
export function lockedOut(members: readonly MemberView[], cause?: unknown): Error | undefined {
  const closed = members.filter(({ reachable, locksOut }) => reachable && locksOut !== null);
  if (closed.length === 0) return undefined;
  const each = closed.map(({ id, locksOut }) => `${id} (it says: ${locksOut})`);
  const text = `holdfast's own user, holdfast-agent, is refused at ${each.join(' and ')}`;
  const hint = `Somebody took that user away there, or changed it. ${howToLetIn} (of a replica: holdfast restart). Then ask again.`;
  return AgentLockedOut(text, { hint, ...(cause === undefined ? {} : { cause }) });
}
