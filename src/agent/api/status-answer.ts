/** The view as `status --json` prints it. Pure. */

import {
  type GateState,
  gateCondition,
  type MemberState,
  memberCondition,
  type SentinelState,
  sentinelCondition,
} from '../../topology/condition.ts';
import { actsInstead } from '../../topology/election/candidacy.ts';
import { isEligible } from '../../topology/eligibility.ts';
import { waitedFor, whyNobodyLeads } from '../../topology/lead-on.ts';
import { hasVoters } from '../../topology/own-word.ts';
import {
  type DeploymentState,
  followsMember,
  isKnownNow,
  isReplicaByHand,
  type MemberView,
  namedPrimary,
  nobodyIsNamed,
  type RefusalCode,
  type View,
  whoNames,
} from '../../topology/view.ts';
import { type WritesNotTaken, writesNotTaken } from '../../topology/writes-not-taken.ts';
import type { BackupStatus } from '../backups/backup-schedule.ts';
import type { MirrorStatus } from '../mirrors/mirror-keeper.ts';
import type { RequestMirrorLine } from '../mirrors/request-mirror-lines.ts';
import { memoryTrouble } from '../observe/memory-room.ts';
import { type Drift, type DriftHarm, driftHarm } from '../settings/drift-harm.ts';

export interface Status {
  name: string;
  state: DeploymentState;
  /** Why it is not healthy, one sentence each; empty when it is. */
  problems: string[];
  /** Those of them that no process of this host shows: what agents of other hosts say, or that they say nothing. */
  beside: readonly string[];
  primary: string | null;
  epoch: number;
  paused: boolean;
  operation: string | null;
  members: MemberStatus[];
  sentinels: SentinelStatus[];
  gates: GateStatusLine[];
  /** Null when the spec has no backup. */
  backup: BackupStatus | null;
  /** What members of this agent's host run with and the spec does not say. */
  drift: readonly Drift[];
  /** As the agent that answers knows them; how far one is, the agent at the primary's host knows. */
  mirrors: readonly MirrorStatus[];
  /** Who gets copies of requests, as the gates of this agent's host say. */
  requestMirrors: readonly RequestMirrorLine[];
}

interface SeenStatus extends PlaceStatus {
  /**
   * It does not answer, and what is said of it was so this long ago, in ms. Null when it answers; also when it never did,
   * and nothing is known.
   */
  seenAgeMs: number | null;
}

interface PlaceStatus {
  id: string;
  host: string;
  address: string;
  port: number;
  /** What is known of why its state is what it is, a clause without its name; null when that says all. */
  reason: string | null;
  /** For how long it has been so, in ms, as far as that is known. */
  stateForMs: number | null;
}

export interface MemberStatus extends SeenStatus {
  role: 'primary' | 'replica' | null;
  state: MemberState;
  pid: number | null;
  offset: number;
  /** Bytes behind the primary; null when unknown. */
  lagBytes: number | null;
  linkUp: boolean;
  /**
   * A replica that may be promoted: it answers, is in sync, its replica-priority is not 0, and with durability `replicated` it surely
   * has all that was acknowledged. Null for a primary.
   */
  eligible: boolean | null;
  restarts: number;
  /** Why it is not started, when the agent refused to. */
  refusal?: string;
  refusalCode?: RefusalCode;
  /** What keeps it from serving, when that is known: its files are damaged, its disk or its memory is full, drift. */
  trouble?: string;
  troubleCode?: TroubleCode;
}

/** memory-scarce: it serves, and will soon refuse writes. */
export type TroubleCode =
  | ('data-damaged' | 'disk-full' | 'memory-full' | 'memory-scarce')
  | DriftHarm['code']
  | WritesNotTaken['code'];

export interface SentinelStatus extends SeenStatus {
  state: SentinelState;
  pid: number | null;
  /** Whom it names as the primary; whom it named when it answered last, if it does not answer. */
  primary: string | null;
}

export interface GateStatusLine extends PlaceStatus {
  replicaPort: number | null;
  state: GateState;
  pid: number | null;
  clients: number;
}

/** @param nowMs on the clock of the view. */
export function statusOf(
  view: View,
  nowMs: number,
  backup: BackupStatus | null = null,
  drift: readonly Drift[] = [],
  mirrors: readonly MirrorStatus[] = [],
  requestMirrors: readonly RequestMirrorLine[] = [],
): Status {
  const named = namedPrimary(view);
  const instead = servingInstead(view, named?.id);
  const primary = instead ?? view.members.find(({ id }) => id === named?.id) ?? actualPrimary(view);
  const followers =
    primary && view.members.filter((each) => isKnownNow(each) && follows(each, primary)).length;
  const members = view.members.map((member) => {
    const harm = harmOf(member, drift, member.id === primary?.id ? (followers ?? 0) : null);
    return memberStatus(member, primary, nowMs, worse(harm, writesNotTaken(member)));
  });
  const sentinels = view.sentinels.map((sentinel): SentinelStatus => {
    const { id, host, address, port, process, reachable } = sentinel;
    const { state, reason, forMs } = sentinelCondition(sentinel, nowMs);
    const seenAgeMs = reachable ? null : ageOf(sentinel.answeredAtMs, nowMs);
    return {
      id,
      host,
      address,
      port,
      state,
      reason,
      stateForMs: forMs,
      seenAgeMs,
      pid: process?.pid ?? null,
      primary: sentinel.primary,
    };
  });
  const gates = view.gates.map((gate): GateStatusLine => {
    const { id, host, address, port, replicaPort, process, clients } = gate;
    const { state, reason, forMs } = gateCondition(gate, nowMs);
    const pid = process?.pid ?? null;
    return { id, host, address, port, replicaPort, state, reason, stateForMs: forMs, pid, clients };
  });
  const whom = { named: named?.id ?? null, instead: instead?.id ?? null };
  const problems = [
    ...findProblems(view, members, sentinels, gates, whom),
    ...mirrors.flatMap(({ trouble }) => trouble ?? []),
    ...requestMirrors.flatMap(({ name, state, reason }) =>
      state === 'waiting'
        ? `the mirror ${name} gets no copies of requests, which are dropped: ${reason ?? 'it can’t be reached'}`
        : [],
    ),
  ];
  const serves =
    primary !== undefined &&
    (memberCondition(primary, nowMs).state === 'up' || (primary.reachable && primary.locksOut !== null)) &&
    primary.role === 'primary' &&
    whyNobodyLeads(view) === undefined;
  const state = !serves ? 'down' : problems.length > 0 ? 'degraded' : 'healthy';
  return {
    name: view.name,
    state,
    problems,
    beside: [],
    primary: primary?.id ?? null,
    epoch: named?.epoch ?? 0,
    paused: view.paused,
    operation: view.operation,
    members,
    sentinels,
    gates,
    backup,
    drift,
    mirrors,
    requestMirrors,
  };
}

/** Without the Sentinels' word: the only member that acts as primary, for display. */
function actualPrimary(view: View): MemberView | undefined {
  const acting = view.members.filter(({ reachable, role }) => reachable && role === 'primary');
  return acting.length === 1 ? acting[0] : undefined;
}

/** The member to which the gates send writes though the Sentinels name another one, which follows it. */
function servingInstead(view: View, named: string | undefined): MemberView | undefined {
  const other = view.members.find(({ id }) => id === named);
  const isOpen = view.gates.length === 0 || view.gates.some(({ state }) => state === 'open');
  return other && isOpen ? actsInstead(view, other) : undefined;
}

/** How long ago that was, in ms. */
function ageOf(atMs: number | null | undefined, nowMs: number): number | null {
  return atMs === null || atMs === undefined ? null : Math.max(0, Math.round(nowMs - atMs));
}

function follows(member: MemberView, primary: MemberView): boolean {
  return member.role === 'replica' && member.linkUp && followsMember(member, primary);
}

/** @param replicas how many follow it, or null when it is not the primary */
function harmOf(member: MemberView, drift: readonly Drift[], replicas: number | null): DriftHarm | undefined {
  if (!isKnownNow(member)) return undefined;
  const own = drift.filter((each) => each.member === member.id);
  return driftHarm(own, replicas);
}

/** Drift that refuses writes says why they are; else, that no write passes comes before what a write may cost later. */
function worse(
  harm: DriftHarm | undefined,
  writes: WritesNotTaken | undefined,
): DriftHarm | WritesNotTaken | undefined {
  return harm?.code === 'writes-refused' ? harm : (writes ?? harm);
}

function memberStatus(
  member: MemberView,
  primary: MemberView | undefined,
  nowMs: number,
  harm: DriftHarm | WritesNotTaken | undefined,
): MemberStatus {
  const { id, host, address, port, role, process, linkUp, lastAnswer } = member;
  const isKnown = isKnownNow(member);
  const offset = isKnown ? member.offset : (lastAnswer?.offset ?? 0);
  const { state, reason, forMs } = memberCondition(member, nowMs);
  const isPrimary = role === 'primary';
  const lagBytes = !isKnown
    ? null
    : isPrimary
      ? 0
      : linkUp && primary && isKnownNow(primary)
        ? Math.max(0, primary.offset - offset)
        : null;
  return {
    id,
    host,
    address,
    port,
    role: isKnown ? role : null,
    state,
    reason,
    stateForMs: forMs,
    seenAgeMs: isKnown ? null : ageOf(lastAnswer?.atMs, nowMs),
    pid: process?.pid ?? null,
    offset,
    lagBytes,
    linkUp: isKnown && (isPrimary || linkUp),
    eligible: isPrimary ? null : isKnown && isEligible(member) && member.awaited,
    restarts: process?.restartsMs.length ?? 0,
    ...(process?.refusal ? { refusal: process.refusal.reason, refusalCode: process.refusal.code } : {}),
    ...troubleOf(member, harm),
  };
}

function troubleOf(
  { id, process, role, memory }: MemberView,
  harm: DriftHarm | WritesNotTaken | undefined,
): Pick<MemberStatus, 'trouble' | 'troubleCode'> {
  if (process?.noRoom) return { trouble: process.noRoom, troubleCode: 'disk-full' };
  if (process?.damage && !process.running)
    return { trouble: `${id} can't load its files: ${process.damage}`, troubleCode: 'data-damaged' };
  // A replica takes what its primary took: only a primary refuses.
  const short = role === 'primary' && memory !== null && memory.level !== 'ample' ? memory.level : null;
  if (memory !== null && short !== null && (harm === undefined || short === 'full'))
    return { trouble: memoryTrouble(id, memory), troubleCode: `memory-${short}` };
  return harm === undefined ? {} : { trouble: harm.text, troubleCode: harm.code };
}

function listOf(members: readonly MemberStatus[]): string {
  return members.map(({ id }) => id).join(' and ');
}

/** No times in it: whoever is told of changes only is not told each second. */
export function problemOf(id: string, state: string, reason: string | null): string {
  return `${id} is ${state}${reason === null ? '' : `: ${reason}`}`;
}

function findProblems(
  view: View,
  members: MemberStatus[],
  sentinels: SentinelStatus[],
  gates: GateStatusLine[],
  { named, instead }: { named: string | null; instead: string | null },
): string[] {
  const problems: string[] = [];
  const nobodyLeads = whyNobodyLeads(view);
  if (nobodyLeads !== undefined) problems.push(nobodyLeads);
  else if (named === null) problems.push(nobodyIsNamed(view));
  problems.push(...waitedFor(view));
  const byHand = new Set(view.members.filter(isReplicaByHand).map(({ id }) => id));
  for (const { id, state, reason, role, refusal, trouble } of members) {
    if (trouble && !refusal) problems.push(trouble);
    if (refusal) problems.push(refusal);
    else if (byHand.has(id))
      problems.push(
        `${id} was made the replica of another server by hand: REPLICAOF NO ONE there ends that${id === named ? ', or holdfast failover has another one lead' : ''}`,
      );
    else if (state !== 'up') problems.push(problemOf(id, state, reason));
    else if (id === named && role !== 'primary')
      problems.push(`${id} is named primary but acts as a ${role}`);
    else if (id === instead) problems.push(`${id} serves as primary, and ${whoNames(view)} ${named}`);
    else if (id !== named && role === 'primary' && named !== null)
      problems.push(`${id} acts as a second primary`);
  }
  const replicas = members.filter(({ role, state }) => role === 'replica' && state === 'up');
  if (replicas.length > 0 && !replicas.some(({ eligible }) => eligible))
    problems.push(
      `${listOf(replicas)} may not be promoted: nobody ${hasVoters(view) ? 'takes' : 'can take'} over from the primary`,
    );
  for (const { id, state, reason, primary } of sentinels) {
    if (state !== 'up') problems.push(problemOf(id, state, reason));
    else if (named !== null && primary !== named)
      problems.push(`${id} names ${primary ?? 'nobody known'} as primary`);
  }
  for (const { id, state, reason } of gates) {
    if (state !== 'open') problems.push(problemOf(id, state, reason));
    // It serves, and says what is wrong all the same.
    else if (reason !== null) problems.push(`${id}: ${reason}`);
  }
  for (const { member, reason } of view.unwilling)
    problems.push(`${member} refused to be made primary: ${reason}`);
  problems.push(...view.troubles);
  if (view.paused) problems.push('automatic actions are paused');
  return problems;
}
