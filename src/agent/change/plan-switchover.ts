/** Who moves the primary where, once a calm moment is there; and what speaks against it. */
import { errorCode } from '../../base/errors.ts';
import { unlessAborted, waitFor } from '../../base/retry.ts';
import { chooseReplica } from '../../topology/election/choice.ts';
import { storeTrouble, storeTroubles } from '../../topology/store-trouble.ts';
import { isKnownNow, type MemberView, namedPrimary, notCalm, type View } from '../../topology/view.ts';
import { SwitchoverRefused } from '../errors.ts';
import { lockedOut } from './locked-out.ts';
import type { Movable, Mover, SwitchoverContext } from './movable.ts';

const calmWithinMs = 15_000;

export interface Plan {
  old: Mover;
  target: Mover;
}

/**
 * Waits for a calm moment. Meanwhile the loop does what there is to do: whoever is down is started again.
 * @param asked who was primary when it was asked for
 * @throws SWITCHOVER_REFUSED when none comes in time, and at once for what does not pass by waiting
 */
export async function prepare(
  { deployment, observer, operation }: SwitchoverContext,
  to: string | null,
  asked: string | undefined,
): Promise<Plan> {
  const { signal } = operation;
  let problem = '';
  const look = async (): Promise<false | 'calm' | Error> => {
    await observer.lookAtAll();
    const view = deployment.view();
    const named = namedPrimary(view)?.id;
    if (to === null && asked !== undefined && named !== undefined && named !== asked)
      return movedAlready(asked, named);
    const shut = lockedOut(view.members.filter(({ id }) => id === named || id === to));
    if (shut !== undefined) return shut;
    problem = whyNotNow(view, to) ?? '';
    if (problem !== '') return false;
    const trouble = whyNowhere(view, to);
    return trouble === undefined ? 'calm' : noRoomThere(trouble);
  };
  const endMs = performance.now() + calmWithinMs;
  const wait = () => {
    const withinMs = Math.max(0, endMs - performance.now());
    return waitFor(look, { what: 'a calm moment', withinMs, everyMs: 50, signal });
  };
  let found = await unlessAborted(look(), signal);
  while (found === false) {
    found = await operation.rest(wait).catch((cause) => {
      signal.throwIfAborted();
      throw errorCode(cause) === 'DEADLINE_PASSED' ? notCalmInTime(problem, cause) : cause;
    });
    // The loop may have changed something since.
    if (found === 'calm') found = await unlessAborted(look(), signal);
  }
  if (found instanceof Error) throw found;
  const view = deployment.view();
  const old = deployment.member(namedPrimary(view)?.id ?? '');
  return { old, target: to === null ? preferred(deployment, view) : deployment.member(to) };
}

function notCalmInTime(problem: string, cause: unknown): Error {
  return SwitchoverRefused(`no switchover: ${problem}`, {
    hint: 'holdfast status and holdfast events show the state of each. A lost primary needs no switchover: it fails over by itself.',
    cause,
  });
}

function movedAlready(asked: string, named: string): Error {
  return SwitchoverRefused(`no switchover: ${asked} was primary when it was asked for, and now ${named} is`, {
    hint: `Whoever replaced ${asked} has moved the primary already. holdfast events says why; ask again to move it from ${named}.`,
  });
}

function noRoomThere(trouble: string): Error {
  return SwitchoverRefused(`no switchover: ${trouble}`, {
    hint: 'Make room there. As primary it would take no writes, and no replica could follow it. Nothing was changed.',
  });
}

/** What stands in the way of a switchover now, or undefined. */
function whyNotNow(view: View, to: string | null): string | undefined {
  const reason = notCalm(view);
  const old = namedPrimary(view)?.id;
  if (reason !== undefined || to === old) return reason;
  if (candidates(view, to).length === 0)
    return to === null ? 'no replica is linked to the primary' : `${to} is not linked to the primary`;
  const disagreeing = view.sentinels.find(({ reachable, primary }) => reachable && primary !== old);
  if (disagreeing) return `${disagreeing.id} still names ${disagreeing.primary ?? 'someone else'} primary`;
  return undefined;
}

function candidates(view: View, to: string | null): MemberView[] {
  const old = namedPrimary(view)?.id;
  return view.members.filter(
    (member) =>
      (to === null ? member.id !== old && member.priority > 0 : member.id === to) &&
      isKnownNow(member) &&
      member.linkUp,
  );
}

/** Why nobody who could be primary could serve as one; undefined when somebody could. */
function whyNowhere(view: View, to: string | null): string | undefined {
  if (to === namedPrimary(view)?.id) return undefined;
  const able = candidates(view, to);
  return able.some((each) => storeTrouble(each) === undefined) ? undefined : storeTroubles(able);
}

/** Whom the Sentinels would choose of those who have room. A lag does not count: the drain is waited for. */
function preferred(deployment: Movable, view: View): Mover {
  const able = candidates(view, null).filter((each) => storeTrouble(each) === undefined);
  const ids = new Set(able.map(({ id }) => id));
  const all = deployment.members.map((member) => {
    const { priority, offset, runId } = member.watch.seen;
    return {
      id: member.place.id,
      fit: ids.has(member.place.id),
      priority,
      offset,
      selected: false,
      answered: true,
      runId,
      member,
    };
  });
  return chooseReplica(all)?.member as Mover;
}
