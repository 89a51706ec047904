/**
 * The Sentinels do not take up whom an elected agent has made primary: they do not hear its hello, or do not know each
 * other. That one serves, with what it takes from then on, and by themselves the Sentinels would promote another one half
 * a minute later, without that. So after two elections in vain each Sentinel that names another is told by command
 * (SENTINEL REMOVE, MONITOR, SET) to watch the one that serves.
 *
 * - All at once, and only while all of them answer. Who is told anew is in epoch 0, and would believe the first colleague that
 *   still names the old primary: one that could not be told would undo it when it comes back.
 * - Not while one of them fails over or is in TILT, or somebody else was voted for: who is told anew forgets whom it voted for.
 * - Once in a while only: what telling them did not heal, it does not heal soon.
 */
import { type MemberView, namedPrimary, type View } from '../view.ts';
import { takenUpWithinMs } from './selection.ts';

export interface Appointment {
  /** The one that serves. */
  member: string;
  /** The ids of the Sentinels that name another. */
  sentinels: readonly string[];
  reason: string;
}

/** So many elections are tried first: the hello of one may have been lost. */
const electionsFirst = 2;
const tellAgainMs = 20_000;

/** The one that this agent made primary, if it acts as primary and nobody whom the Sentinels name does. */
export function servesUnnamed(view: View): MemberView | undefined {
  const { promoted, members } = view;
  const acting = members.filter(({ reachable, role }) => reachable && role === 'primary');
  const named = namedPrimary(view)?.id;
  if (named === promoted?.member || acting.some(({ id }) => id === named)) return undefined;
  return acting.find(({ id }) => id === promoted?.member);
}

/** Which Sentinels are to be told whom to watch, now; undefined when none is. */
export function findAppointment(view: View, nowMs: number): Appointment | undefined {
  const { promoted, sentinels, vote } = view;
  const serving = servesUnnamed(view);
  if (promoted === null || serving === undefined || promoted.times < electionsFirst) return undefined;
  if (nowMs - promoted.atMs < takenUpWithinMs || (vote !== null && !vote.ours)) return undefined;
  const canBeTold = sentinels.every(
    ({ reachable, tilt, failoverInProgress, toldAtMs }) =>
      reachable && !tilt && !failoverInProgress && (toldAtMs === null || nowMs - toldAtMs >= tellAgainMs),
  );
  const others = sentinels.filter(({ primary }) => primary !== serving.id).map(({ id }) => id);
  if (!canBeTold || others.length === 0) return undefined;
  const reason = `${serving.id} was elected ${promoted.times} times and serves, and ${others.join(', ')} did not take that up: told by command to watch it`;
  return { member: serving.id, sentinels: others, reason };
}
