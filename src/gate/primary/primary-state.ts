import type { MemberAddress } from '../config.ts';

/**
 * Who is primary for the gate, and what waits. The rules are in primary-step.ts; here is what they remember, and what
 * follows from it.
 */

/** What one Sentinel says: `member` is null when it names a server that is no member. */
export interface Claim {
  member: MemberAddress | null;
  /** The configuration epoch under which it says so: the higher the newer. */
  epoch: number;
}

/**
 * Why a candidate may become primary, once its own ROLE says so.
 * - `epoch`: a majority of Sentinels answers, and it is named under a higher epoch than the present one.
 * - `selection`: a Sentinel that had ours as primary selected it in a failover, which has a higher epoch than any before.
 * - `announcement`: a Sentinel switched from ours to it; a claim under a higher epoch must say so too.
 * - `agent`: the agent, which had itself elected, named it.
 * - `unanimity`: ours is gone or demoted, and for long every Sentinel that answers has named it.
 */
export type Grounds = 'epoch' | 'selection' | 'announcement' | 'agent' | 'unanimity';

export interface Candidate {
  readonly member: MemberAddress;
  readonly grounds: Grounds;
  /** For the log: who named it. */
  readonly by: string;
  /** Under which it was named; null when that is not known. */
  readonly epoch: number | null;
  /** The highest epoch heard of when it was named. */
  readonly heard: number;
  /** Its ROLE said master. */
  readonly acts: boolean;
  /** Nobody listened there when it was asked last. One answer that is missing says less: this machine may be busy. */
  readonly isGone: boolean;
  /** Who was selected acts as primary by then, or will not. */
  readonly actsByMs: number;
  readonly untilMs: number;
  /** Who was about to be primary, and is replaced by this one: it is again when nothing comes of the selection. */
  readonly before: Candidate | null;
  /** Who was selected to replace this one, and nothing came of it yet: it is asked on. */
  readonly beside: Candidate | null;
}

export type Settling = { readonly phase: 'waiting' | 'trying'; readonly untilMs: number };

export type Mode =
  /** Nobody was primary yet. */
  | { readonly kind: 'starting'; readonly reason: string; readonly sinceMs: number }
  /** Everything is sent. `settling`: it refused writes for a reason that passes; they wait, and are tried. */
  | { readonly kind: 'open'; readonly settling: Settling | null }
  /** Writes wait: a replica was selected, ours was demoted, or the agent wants it, and then until a time. */
  | {
      readonly kind: 'writes';
      readonly by: 'selection' | 'demotion';
      readonly reason: string;
      readonly sinceMs: number;
    }
  | {
      readonly kind: 'writes';
      readonly by: 'agent';
      readonly reason: string;
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly maxMs: number;
      readonly patient: boolean;
    }
  /** Ours does not answer, or reads its data: everything waits. */
  | { readonly kind: 'all' | 'loading'; readonly reason: string; readonly sinceMs: number };

export interface PrimaryState {
  readonly mode: Mode;
  readonly primary: MemberAddress | null;
  /** Under which the primary was accepted: another one needs a higher one. -1: none is known. */
  readonly epoch: number;
  readonly candidate: Candidate | null;
  /** What each Sentinel last said; null while it does not answer. */
  readonly claims: readonly (Claim | null)[];
  /** The highest epoch that was ever heard of. */
  readonly heard: number;
  /** Whom every Sentinel that answers names, a majority at least, while ours is gone or demoted; since when. */
  readonly contrary: { readonly member: MemberAddress; readonly sinceMs: number } | null;
  /** A connection to the primary broke, for this reason, and it is being asked. */
  readonly doubt: string | null;
  /** Since when it is new, or back: then its refusals for want of replicas pass. */
  readonly newSinceMs: number;
  /** Who was asked for its role and has not answered. */
  readonly asked: readonly string[];
  readonly askAtMs: number;
  readonly pollAtMs: number;
  /** Changes of primary. */
  readonly switches: number;
}

export interface PrimaryRules {
  /** How many Sentinels there are; with none the first member is primary, always. */
  readonly sentinels: number;
  /** How many of them make a majority. */
  readonly majority: number;
  /**
   * Those that say who is primary are standalone members instead (witness.ts), whose word is never of an earlier epoch than
   * before, and which publish nothing.
   */
  readonly byMembers?: true;
}

/** For so long after it is new or back, at least, a primary's refusals are waited out. */
const newMs = 10_000;

export function initialState(rules: PrimaryRules, nowMs: number): PrimaryState {
  return {
    mode: { kind: 'starting', reason: 'starting: the primary is not known yet', sinceMs: nowMs },
    primary: null,
    epoch: -1,
    candidate: null,
    claims: new Array<null>(rules.sentinels).fill(null),
    heard: -1,
    contrary: null,
    doubt: null,
    newSinceMs: Number.NEGATIVE_INFINITY,
    asked: [],
    askAtMs: Number.POSITIVE_INFINITY,
    pollAtMs: nowMs,
    switches: 0,
  };
}

/**
 * There are other Sentinels from now on.
 * @param kept for each of them, which one it was until now; null for one that is new
 */
export function withSentinels(state: PrimaryState, kept: readonly (number | null)[]): PrimaryState {
  return { ...state, claims: kept.map((index) => (index === null ? null : (state.claims[index] ?? null))) };
}

export type Holding = 'none' | 'writes' | 'all';

/** What waits: writes, or everything. */
export function holdingOf({ mode }: PrimaryState): Holding {
  if (mode.kind === 'open') return mode.settling?.phase === 'waiting' ? 'writes' : 'none';
  return mode.kind === 'writes' ? 'writes' : 'all';
}

/** Writes were refused for a reason that passes: clients wait, though it is open. */
export function isSettling({ mode }: PrimaryState): boolean {
  return mode.kind === 'open' && mode.settling !== null;
}

/** Whether nothing comes of a selection, as far as anybody can tell: nothing is held for it any more. */
export function isOverdue({ grounds, acts, isGone, actsByMs }: Candidate, nowMs: number): boolean {
  return grounds === 'selection' && !acts && (isGone || nowMs >= actsByMs);
}

export function sentinelsSeen({ claims }: PrimaryState): number {
  return claims.filter((claim) => claim !== null).length;
}

/** Why it holds; or what is unusual though it is open. */
export function reasonOf(state: PrimaryState, rules: PrimaryRules): string | null {
  if (state.mode.kind !== 'open') return state.mode.reason;
  const seen = sentinelsSeen(state);
  if (rules.sentinels === 0 || seen >= rules.majority) return null;
  if (rules.byMembers) return `no member says who leads; keeping ${state.primary?.id}`;
  return `no majority of Sentinels answers (${seen} of ${rules.sentinels}); keeping ${state.primary?.id}`;
}

/**
 * Whether a refusal for want of replicas, or because it loads, is expected to pass: then the request is sent again. Without an
 * agent the replicas may come later than in ten seconds: clients wait for them for as long as they are held otherwise.
 */
export function isPassing(
  state: PrimaryState,
  rules: Pick<PrimaryRules, 'sentinels'> & { holdMs: number },
  member: MemberAddress,
  nowMs: number,
): boolean {
  if (state.doubt !== null) return true;
  if (rules.sentinels === 0) return false;
  return member !== state.primary || nowMs - state.newSinceMs < Math.max(newMs, rules.holdMs);
}

/** Why the agent's word is not taken: another was accepted under a newer epoch. Null when it is. */
export function refusalOfSwitch(
  state: PrimaryState,
  member: MemberAddress,
  epoch: number | null,
): string | null {
  if (epoch === null || member === state.primary || epoch > state.epoch) return null;
  return `${state.primary?.id} is primary under epoch ${state.epoch}; a switch under epoch ${epoch} comes too late`;
}

/** Of another set of servers nothing is known yet: what was said of these is not about them. */
export function withoutClaims(state: PrimaryState): PrimaryState {
  const claims = state.claims.map(() => null);
  return { ...state, claims, candidate: null, contrary: null, epoch: -1, heard: -1, asked: [] };
}

/** When `step` wants a tick; infinite when it waits for others only. */
export function wakeAtMs({ mode, candidate, askAtMs, pollAtMs }: PrimaryState): number {
  const settling = mode.kind === 'open' ? mode.settling : null;
  const hold = mode.kind === 'writes' && mode.by === 'agent' ? mode.untilMs : Number.POSITIVE_INFINITY;
  const others = [settling?.untilMs, candidate?.untilMs].filter((at) => at !== undefined);
  return Math.min(askAtMs, pollAtMs, hold, ...others);
}
