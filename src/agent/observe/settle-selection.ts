/**
 * What follows of what was observed, before anything is decided: whether a selection is over, whom the Sentinels name, and
 * whether they name whom this agent has made primary.
 */
import { inVainUntilMs } from '../../topology/election/candidacy.ts';
import { whoIsNotSureYet } from '../../topology/election/not-sure-yet.ts';
import { servesUnnamed } from '../../topology/election/not-taken-up.ts';
import { takenUpWithinMs } from '../../topology/election/selection.ts';
import type { EligibilityRules } from '../../topology/eligibility.ts';
import { type MemberView, namedPrimary, type View, whoNames } from '../../topology/view.ts';
import type { ElectionWatch } from '../election/election-watch.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Troubles } from '../state/troubles.ts';
import type { MemberObservation, MemberWatch } from './member-watch.ts';

export interface Observed {
  readonly spec: { sentinel: { failoverTimeoutMs: number } } & EligibilityRules;
  readonly events: Pick<EventLog, 'add'>;
  readonly troubles: Pick<Troubles, 'note'>;
  readonly elections: Pick<ElectionWatch, 'noteNamed'>;
  readonly selection: View['selection'];
  endSelection(): void;
  /** Notes whom the Sentinels name. @returns whether they named another before. */
  announce(primary: string): boolean;
  member(id: string): {
    unit: { process: { running: boolean } } | null;
    watch: Pick<MemberWatch, 'look'> & { seen: Pick<MemberObservation, 'role'> };
  };
}

/**
 * Brings the selection to its end: once a majority of Sentinels names the selected member, or when they have had
 * long enough. One Sentinel's word settles nothing; the others hear of a change up to a second later.
 * @returns whether the deployment's view is another one now
 */
export function settleSelection(deployment: Observed, view: View, nowMs: number): boolean {
  const { selection, spec, events } = deployment;
  const named = namedPrimary(view)?.id;
  let changed = deployment.elections.noteNamed(named ?? null);
  if (selection !== null) {
    const expired = nowMs - selection.atMs > spec.sentinel.failoverTimeoutMs;
    if (selection.member === named || (expired && !servesUnnamed(view))) {
      deployment.endSelection();
      changed = true;
    }
  }
  tellWhoIsNotTakenUp(deployment, view, nowMs);
  tellWhoIsNotSureYet(deployment, view, nowMs);
  if (named !== undefined) askWhoDoesNotAct(deployment.member(named));
  if (named !== undefined && deployment.announce(named))
    events.add('primary', named, `${whoNames(view)} ${named} primary`);
  return changed;
}

/** The Sentinels were told and name the one before. Said each time that this agent is elected for nothing. */
function tellWhoIsNotTakenUp({ events, troubles }: Observed, view: View, nowMs: number): void {
  const member = servesUnnamed(view);
  const isLate = view.promoted !== null && nowMs - view.promoted.atMs >= takenUpWithinMs;
  const named = namedPrimary(view)?.id;
  const text = member && isLate && named !== undefined ? notTakenUp(view, member, named) : null;
  if (troubles.note('not-taken-up', text) && member !== undefined && text !== null)
    events.add('not-taken-up', member.id, text);
}

function notTakenUp(view: View, member: MemberView, named: string): string {
  const { times = 1, atMs = 0 } = view.promoted ?? {};
  const pauseMs = inVainUntilMs(view, member) - atMs;
  const next = Number.isFinite(pauseMs)
    ? `it stands again ${Math.round(pauseMs / 1000)} s after that`
    : 'it stands no more, so that they can act by themselves';
  const what = `${member.id} was made primary by election and serves, and ${whoNames(view)} ${named}`;
  const why = 'they do not hear what this agent publishes, or do not know each other';
  const told = times === 1 ? '' : ' They are told by command as soon as all of them answer.';
  return `${what}: ${why}. This agent was elected ${times === 1 ? 'once' : `${times} times`}; ${next}.${told} When it stays so: holdfast down, then up`;
}

function tellWhoIsNotSureYet({ spec, events, troubles }: Observed, view: View, nowMs: number): void {
  const { lost, text } = whoIsNotSureYet(view, spec, nowMs) ?? { lost: '', text: null };
  if (troubles.note('takeover-delayed', text) && text !== null) events.add('takeover-delayed', lost, text);
}

/** Whoever is named and was not seen to act as primary is asked sooner than at the next look: someone may have to act. */
function askWhoDoesNotAct({ unit, watch }: ReturnType<Observed['member']>): void {
  if (watch.seen.role !== 'primary' && unit?.process.running !== false) void watch.look();
}
