/**
 * From which member a backup is taken. Every member is asked how it is; `chooseSource` decides, and is pure.
 *
 * A replica, so that the primary does not fork: one that is linked to its primary, does not load or synchronise, and is
 * level with it. Of several the one that the Sentinels would promote last (by replica-priority), so that a failover
 * meanwhile most likely leaves it alone; then the one that is furthest along.
 */

/** What a member said of itself. */
export interface Candidate {
  member: string;
  address: string;
  port: number;
  /** Why it did not answer; undefined when it did. */
  error?: string | undefined;
  role: 'primary' | 'replica';
  linkUp: boolean;
  /** It is being given its primary's data, or reads its own. */
  busy: string | undefined;
  /** Bytes of the replication stream. */
  offset: number;
  /** replica-priority: 0 is never promoted, the smallest of the others first. */
  priority: number;
  /** `redis 7.0.15` */
  serverVersion: string;
  /** used_memory: more than its RDB will have. */
  expectedBytes: number;
}

/** `replica`, `prefer-replica`, `primary`, or the id of a member. */
export type SourceWish = string;

export type SourceChoice = { chosen: Candidate; reason: string } | { chosen: null; reason: string };

export function chooseSource(candidates: readonly Candidate[], wish: SourceWish): SourceChoice {
  const faults = candidates.map((each) => `${each.member}: ${faultOf(each, candidates) ?? 'fit'}`);
  const named = candidates.find(({ member }) => member === wish);
  if (named) {
    const fault = faultOf(named, candidates);
    return fault === undefined
      ? { chosen: named, reason: `${named.member} was asked for` }
      : { chosen: null, reason: `${named.member} cannot give a backup now: ${fault}` };
  }
  const fit = candidates.filter((each) => faultOf(each, candidates) === undefined);
  if (wish !== 'primary') {
    const [best] = fit.filter(({ role }) => role === 'replica').toSorted(byFitness);
    if (best) return { chosen: best, reason: `${best.member} is the fittest replica` };
  }
  const primary = fit.find(({ role }) => role === 'primary');
  if (wish !== 'replica' && primary) {
    const why = wish === 'primary' ? 'as was asked for' : 'because no replica is fit';
    return { chosen: primary, reason: `${primary.member} is the primary, ${why} (${faults.join('; ')})` };
  }
  const wanted = wish === 'replica' ? 'replica' : wish === 'primary' ? 'primary' : 'member';
  return { chosen: null, reason: `no ${wanted} is fit for a backup (${faults.join('; ')})` };
}

/** A replica this far behind is not healthy: a backup of it would be older than it says. */
const maxLagBytes = 64 * 2 ** 20;

function faultOf(candidate: Candidate, all: readonly Candidate[]): string | undefined {
  if (candidate.error !== undefined) return candidate.error;
  if (candidate.busy !== undefined) return candidate.busy;
  if (candidate.role === 'primary') return undefined;
  if (!candidate.linkUp) return 'it has no link to its primary';
  const furthest = Math.max(...all.filter(({ error }) => error === undefined).map(({ offset }) => offset));
  const lag = furthest - candidate.offset;
  return lag > maxLagBytes ? `it is ${lag} bytes behind` : undefined;
}

/** Never promoted first, then the highest priority number, which Sentinels take last; then the furthest along. */
function byFitness(a: Candidate, b: Candidate): number {
  const last = ({ priority }: Candidate) => (priority === 0 ? Number.POSITIVE_INFINITY : priority);
  if (a.priority !== b.priority) return last(a) > last(b) ? -1 : 1;
  return b.offset - a.offset || (a.member < b.member ? -1 : 1);
}
