import type { FollowedSource } from '../followed-source.ts';
import { streamId } from '../plan.ts';
import type { RunsOptions } from '../source-runs.ts';
import { whyNotBack } from './can-follow-back.ts';
import { ClosedUsers } from './closed-users.ts';
import { OldSide } from './old-side.ts';
import { WayBack, type WayBackOptions } from './way-back.ts';

/** The old side of a migration, with a way back where there can be one. */
export function oldSideOf(
  { plan, paths, sources, target, loads }: RunsOptions,
  newSide: WayBackOptions['newSide'],
  runs: readonly FollowedSource[],
): OldSide {
  const why = whyNotBack(plan);
  if (why !== null) return new OldSide(runs, null, why);
  const closed = new ClosedUsers(paths.closed);
  const [oldSide] = sources;
  if (oldSide === undefined || oldSide.kind === 'finite') throw new TypeError('a file is followed by nobody');
  const sides = { oldSide, newSide, target };
  return new OldSide(runs, new WayBack({ id: streamId(plan, 0), ...sides, loads, closed }), null);
}
