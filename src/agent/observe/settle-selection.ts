/** What follows of what was observed, before anything is decided: whether a selection is over, and whom the Sentinels name. */
import { namedPrimary, type View } from '../../topology/view.ts';
import type { ElectionWatch } from '../election/election-watch.ts';
import type { EventLog } from '../state/event-log.ts';
import type { MemberObservation, MemberWatch } from './member-watch.ts';

export interface Observed {
  readonly spec: { sentinel: { failoverTimeoutMs: number } };
  readonly events: Pick<EventLog, 'add'>;
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
    if (selection.member === named || expired) {
      deployment.endSelection();
      changed = true;
    }
  }
  if (named !== undefined) askWhoDoesNotAct(deployment.member(named));
  if (named !== undefined && deployment.announce(named))
    events.add('primary', named, `the Sentinels name ${named} primary`);
  return changed;
}

/** Whoever is named and was not seen to act as primary is asked sooner than at the next look: someone may have to act. */
function askWhoDoesNotAct({ unit, watch }: ReturnType<Observed['member']>): void {
  if (watch.seen.role !== 'primary' && unit?.process.running !== false) void watch.look();
}
