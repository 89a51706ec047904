/**
 * Which replicas a write must have reached before it is acknowledged (`durability: replicated`): a pure function. Replicas
 * go by `address:port`.
 *
 * - The set has every replica that could be promoted at first. One leaves it only when a majority of Sentinels answers
 *   and none of those would promote it: it is disconnected or down for them, or its priority is 0; and it does not
 *   say itself that it may be promoted (own-priorities.ts). So the set shrinks before a write is acknowledged without a
 *   member, as Kafka's in-sync set does. Who takes a slow replica out of the Sentinels' choice is the agent:
 *   topology/eligibility.ts.
 * - The primary that was replaced is left out at first: until it follows, Sentinels prefer every other replica. A host that is
 *   lost would else hold writes up until the Sentinels call it down once more. What was acknowledged until it follows, and
 *   has copied, is safe from it only where somebody sets priorities (topology/eligibility.ts); acknowledged.ts finds out.
 * - One that the primary lists as online, and that gives a sign of life, joins it at once, and so does one that a
 *   Sentinel would promote, which it has heard from since it watches it: the Sentinels are asked for that as long as
 *   somebody is left out.
 * - A round asks the primary for its offset, waits, and then asks which replica has acknowledged how much. It confirms
 *   when all of the set have reached that offset.
 */
export interface InSync {
  readonly members: ReadonlySet<string>;
  /** Who was left out, with the offset it had then. */
  readonly out: ReadonlyMap<string, number>;
  /** Who had not reached the offset in the round before, and what the primary knew of each; null between rounds. */
  readonly behind: ReadonlyMap<string, number> | null;
  /** When a majority of Sentinels last said whom they would promote, ms. */
  readonly askedAtMs: number;
}

/** What the Sentinels say of the replicas. */
export interface Eligibility {
  /** How many Sentinels answered. */
  asked: number;
  /** Those that at least one Sentinel could promote, as far as is known. */
  eligible: ReadonlySet<string>;
  /** Of these, those that have told it whom they follow. */
  heard: ReadonlySet<string>;
}

export type InSyncEvent =
  /** `target`: the offset to reach; `online`: acknowledged offsets of the replicas that are linked. */
  | { kind: 'round'; target: number; online: ReadonlyMap<string, number> }
  | ({ kind: 'eligibility' } & Eligibility);

export interface InSyncStep {
  state: InSync;
  /** What was to be confirmed is: every member of the set has it. */
  confirmed: boolean;
  /** Ask the Sentinels now, before the next round. */
  ask: boolean;
  /** For people. */
  notes: string[];
}

/** While somebody is left out, the Sentinels are asked for it at most this often. */
const askEveryMs = 100;

/** No offset: whoever shows with any has moved. */
const unknownOffset = -1;

/** @param members who could be promoted. @param replaced of these, who was primary before; null for nobody */
export function initialInSync(members: Iterable<string>, replaced: string | null = null): InSync {
  const all = new Set(members);
  const isReplaced = replaced !== null && all.delete(replaced);
  return {
    members: all,
    out: new Map(isReplaced ? [[replaced, unknownOffset]] : []),
    behind: null,
    askedAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** Whether all of these have acknowledged this offset. */
export function haveReached(
  members: ReadonlySet<string>,
  target: number,
  online: ReadonlyMap<string, number>,
): boolean {
  return [...members].every((key) => (online.get(key) ?? -1) >= target);
}

/** @param majority of the Sentinels */
export function stepInSync(state: InSync, event: InSyncEvent, majority: number, nowMs: number): InSyncStep {
  return event.kind === 'round'
    ? afterRound(state, event, nowMs)
    : afterAsking(state, event, majority, nowMs);
}

function afterRound(
  state: InSync,
  { target, online }: Extract<InSyncEvent, { kind: 'round' }>,
  nowMs: number,
): InSyncStep {
  const members = new Set(state.members);
  const out = new Map(state.out);
  for (const [key, offset] of online) {
    // One that was left out and has not moved gives no sign of life.
    if (members.has(key) || out.get(key) === offset) continue;
    out.delete(key);
    members.add(key);
  }
  const joined = members.size > state.members.size;
  const offsetOf = (key: string) => online.get(key) ?? -1;
  const slow = [...members].filter((key) => !(offsetOf(key) >= target));
  const reached = slow.length === 0;
  const behind = new Map(slow.map((key) => [key, offsetOf(key)]));
  const due = out.size > 0 && nowMs - state.askedAtMs >= askEveryMs;
  return {
    state: { ...state, members, out, behind },
    confirmed: reached && !due,
    ask: reached ? due : !joined,
    notes: [],
  };
}

function afterAsking(
  state: InSync,
  { asked, eligible, heard }: Eligibility,
  majority: number,
  nowMs: number,
): InSyncStep {
  const over: InSync = { ...state, behind: null };
  // An answer counts for the round before it only.
  if (state.behind === null) return { state: over, confirmed: false, ask: false, notes: [] };
  const reached = state.behind.size === 0;
  if (asked < majority) return { state: over, confirmed: reached, ask: false, notes: [] };
  const members = new Set(state.members);
  const out = new Map(state.out);
  const notes: string[] = [];
  if (reached) {
    for (const key of state.out.keys()) {
      if (!heard.has(key)) continue;
      out.delete(key);
      members.add(key);
      notes.push(`writes wait for ${key} again: a Sentinel would promote it`);
    }
  } else {
    for (const [key, offset] of state.behind) {
      if (eligible.has(key)) continue;
      members.delete(key);
      out.set(key, offset);
      notes.push(`writes no longer wait for ${key}: no Sentinel would promote it`);
    }
  }
  const askedAtMs = reached ? nowMs : state.askedAtMs;
  const confirmed = reached && notes.length === 0;
  return { state: { ...over, members, out, askedAtMs }, confirmed, ask: false, notes };
}
