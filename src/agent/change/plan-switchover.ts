/** Who moves the primary where, once a calm moment is there; and what speaks against it. */
import { errorCode } from '../../base/errors.ts';
import { unlessAborted, waitFor } from '../../base/retry.ts';
import { chooseReplica } from '../../topology/election/choice.ts';
import {
  cannotLogInHint,
  cannotLogInReason,
  type Moment,
  type Obstacle,
  obstacleTo,
  readyToTakeOver,
} from '../../topology/obstacle.ts';
import { namedPrimary, type View } from '../../topology/view.ts';
import { SwitchoverRefused } from '../errors.ts';
import { refusalToFollow, unableToLogIn } from './following.ts';
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
  const sinceMs = deployment.setting.clock.monotonicMs();
  let obstacle: Obstacle | undefined;
  const look = async (): Promise<false | 'calm' | Error> => {
    await observer.lookAtAll();
    const view = deployment.view();
    const named = namedPrimary(view)?.id;
    if (to === null && asked !== undefined && named !== undefined && named !== asked)
      return movedAlready(asked, named);
    const shut = lockedOut(view.members.filter(({ id }) => id === named || id === to));
    if (shut !== undefined) return shut;
    const moment = momentOf(deployment, sinceMs);
    obstacle = obstacleTo(view, to, moment);
    if (obstacle?.passes) {
      const cannotLogIn = await unableToLogIn(deployment, view);
      if (cannotLogIn.size > 0) obstacle = obstacleTo(view, to, { ...moment, cannotLogIn });
    }
    if (obstacle === undefined) return (await refusalToFollow(deployment, view, to)) ?? 'calm';
    return obstacle.passes ? false : refusedFor(obstacle);
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
      throw errorCode(cause) === 'DEADLINE_PASSED' ? refusedFor(obstacle, cause) : cause;
    });
    // The loop may have changed something since.
    if (found === 'calm') found = await unlessAborted(look(), signal);
  }
  if (found instanceof Error) throw found;
  const view = deployment.view();
  const old = deployment.member(namedPrimary(view)?.id ?? '');
  return {
    old,
    target: to === null ? preferred(deployment, view, momentOf(deployment, sinceMs)) : deployment.member(to),
  };
}

/**
 * Before everything is restarted: refuses what could not come to its end. @param restarted the ids of those that are: replicas,
 * each of which must be in sync again before the next one, and perhaps the primary, which a switchover relieves
 * @throws SWITCHOVER_REFUSED for what does not pass by waiting
 */
export async function refuseRestartInVain(
  deployment: Pick<Movable, 'view' | 'setting' | 'members' | 'spec'>,
  restarted: readonly string[],
): Promise<void> {
  const view = deployment.view();
  const cannotLogIn = await unableToLogIn(deployment, view);
  const shut = restarted.filter((id) => cannotLogIn.has(id));
  if (shut.length > 0) {
    const which = shut.join(' and ');
    throw SwitchoverRefused(`no restart: no link to the primary at ${which}: ${cannotLogInReason}`, {
      hint: cannotLogInHint,
    });
  }
  if (view.members.length < 2 || !restarted.some((id) => id === namedPrimary(view)?.id)) return;
  const moment = momentOf(deployment, deployment.setting.clock.monotonicMs());
  const obstacle = obstacleTo(view, null, { ...moment, cannotLogIn });
  if (obstacle?.passes === false) throw refusedFor(obstacle);
  const refusal = await refusalToFollow(deployment, view, null);
  if (refusal !== undefined) throw refusal;
}

function momentOf({ setting, spec }: Pick<Movable, 'setting' | 'spec'>, sinceMs: number): Moment {
  return { nowMs: setting.clock.monotonicMs(), sinceMs, quorum: spec.sentinel.quorum };
}

function refusedFor(obstacle: Obstacle | undefined, cause?: unknown): Error {
  const { text, hint } = obstacle ?? { text: 'there was no calm moment', hint: 'Ask again.' };
  return SwitchoverRefused(`no switchover: ${text}`, { hint, ...(cause === undefined ? {} : { cause }) });
}

function movedAlready(asked: string, named: string): Error {
  return SwitchoverRefused(`no switchover: ${asked} was primary when it was asked for, and now ${named} is`, {
    hint: `Whoever replaced ${asked} has moved the primary already. holdfast events says why; ask again to move it from ${named}.`,
  });
}

/** Whom the Sentinels would choose of those whom nothing keeps from it. A lag does not count: the drain is waited for. */
function preferred(deployment: Movable, view: View, moment: Moment): Mover {
  const ids = new Set(readyToTakeOver(view, moment).map(({ id }) => id));
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
