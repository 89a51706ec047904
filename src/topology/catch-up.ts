/**
 * With durability `replicated`, which replicas surely have everything that was acknowledged. A replica that has just copied
 * everything has what there was when the copy began: what the primary has taken since comes behind it, up to a second later,
 * because a primary starts the stream when the replica acknowledges the copy (replconfCommand in Redis's replication.c). And
 * gates wait for a replica when they know of it, not in the moment in which it gets its priority. So:
 *
 * 1. `copying`, then `caught-up`: its priority is 0. The primary lists it as online, and later says that it has
 *    acknowledged what the primary had then. Only now it gets its priority (eligibility.ts).
 * 2. `eligible`, then `awaited`: it has its priority. `settleMs` later every gate waits for it, and what was acknowledged
 *    without it is older than that. When it has acknowledged what the primary has from then on, it lacks nothing.
 *
 * Only one that is `awaited` takes over. One that was primary itself begins with `eligible` when it follows another. Of a replica
 * that has its priority when this agent sees it for the first time nobody knows more than that: it counts as `awaited`.
 * When the primary changes, the gates wait for all but the one that was replaced from the start, so who was awaited stays so.
 */

export type CatchUpStage = 'primary' | 'copying' | 'caught-up' | 'eligible' | 'awaited';

/** How far one member is. */
export interface CatchUp {
  /** Of its process. */
  readonly runId: string;
  readonly stage: CatchUpStage;
  /** Since when it has its priority, on the monotonic clock; 0 before. */
  readonly sinceMs: number;
  /** What it has to acknowledge for the next stage, in bytes of the stream; null before that is known. */
  readonly target: number | null;
}

export interface CatchUps {
  /** The primary that the targets are about: its id and its process. */
  readonly primary: string;
  readonly members: ReadonlyMap<string, CatchUp>;
}

/** What the primary said last. */
export interface PrimarySeen {
  id: string;
  runId: string;
  offset: number;
  /** When it said so, on the monotonic clock. */
  seenAtMs: number;
  /** By member: what each replica that it lists as online has acknowledged. */
  online: ReadonlyMap<string, number>;
}

/** A member that answers. */
export interface MemberSeen {
  id: string;
  runId: string;
  role: 'primary' | 'replica';
  priority: number;
}

/**
 * A gate that leaves somebody out asks again 100 ms after it asked the last time, and whoever it asks answers within 300 ms.
 * The rest is for a gate that stands still for a moment.
 */
export const settleMs = 600;

export const noCatchUps: CatchUps = { primary: '', members: new Map() };

/** @param primary null while none acts. @param members those that answer: what is known of the others stays */
export function stepCatchUps(
  before: CatchUps,
  primary: PrimarySeen | null,
  members: readonly MemberSeen[],
  nowMs: number,
): CatchUps {
  const name = primary === null ? before.primary : `${primary.id} ${primary.runId}`;
  const isSame = name === before.primary;
  const after = new Map(before.members);
  for (const member of members) {
    const known = before.members.get(member.id);
    const entered = enter(isSame || known === undefined ? known : startAgain(known, nowMs), member, nowMs);
    after.set(member.id, primary === null ? entered : goOn(entered, member.id, primary));
  }
  return { primary: name, members: after };
}

/** What another primary had says nothing of this one. */
function startAgain(known: CatchUp, nowMs: number): CatchUp {
  if (known.stage === 'awaited' || known.stage === 'primary') return known;
  const stage = known.stage === 'caught-up' ? 'copying' : known.stage;
  return { ...known, stage, target: null, sinceMs: stage === 'eligible' ? nowMs : 0 };
}

/** The stage that its role and its priority put it in. */
function enter(known: CatchUp | undefined, { runId, role, priority }: MemberSeen, nowMs: number): CatchUp {
  const begin = (stage: CatchUpStage): CatchUp => {
    return { runId, stage, target: null, sinceMs: stage === 'eligible' ? nowMs : 0 };
  };
  if (role === 'primary') return begin('primary');
  const isKnown = known?.runId === runId;
  const stage = isKnown ? known.stage : null;
  if (priority === 0) {
    return isKnown && (stage === 'copying' || stage === 'caught-up') ? known : begin('copying');
  }
  if (known === undefined) return begin('awaited');
  return isKnown && (stage === 'eligible' || stage === 'awaited') ? known : begin('eligible');
}

function goOn(known: CatchUp, id: string, primary: PrimarySeen): CatchUp {
  const { stage, sinceMs } = known;
  if (stage === 'primary' || stage === 'awaited') return known;
  const acknowledged = primary.online.get(id);
  if (acknowledged === undefined)
    return { ...known, stage: stage === 'eligible' ? stage : 'copying', target: null };
  if (stage === 'caught-up' || (stage === 'eligible' && primary.seenAtMs - sinceMs < settleMs)) return known;
  const target = known.target ?? primary.offset;
  const next = stage === 'copying' ? 'caught-up' : 'awaited';
  return acknowledged >= target ? { ...known, stage: next, target: null } : { ...known, target };
}
