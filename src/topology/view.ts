/**
 * What has been observed of a deployment at one instant. `decide` reads it, `status` prints it; nothing in it is a
 * wish. Times are on the monotonic clock of the agent that observed, in ms; offsets and lags are in bytes.
 */

import type { Activity } from './activity.ts';
import type { InSyncRecord } from './in-sync-record.ts';
import { epochOfMembers, hasVoters, isSettled, leadByOwnWord, type Word } from './own-word.ts';

export type MemberRole = 'primary' | 'replica';
export type DeploymentState = 'healthy' | 'degraded' | 'down';

/**
 * Why a member is not started: it would be wiped by an empty primary, it can't load its files, or as primary it would wipe
 * the others or set them back.
 */
export type RefusalCode = 'would-be-wiped' | 'cannot-load' | 'would-wipe' | 'would-set-back';

/** A refusal is the same as another with the same code and the same members; the sentence is for people. */
export interface Refusal {
  code: RefusalCode;
  /** The ids of the other members that it is about: the empty primary, or those who would lose something. */
  about: readonly string[];
  reason: string;
}

/** Why a server that answers does not serve: it loads its data, runs a script or function, or its clients are paused. */
export interface Busy {
  code: 'loading' | 'script' | 'paused';
  /** When the first question was asked that it did not answer as usual. */
  sinceMs: number;
}

/** Whether a server has room for more data. */
export interface MemoryRoom {
  /** full: it refuses writes. scarce: it will soon. */
  level: 'ample' | 'scarce' | 'full';
  /** Its maxmemory; 0 for no limit. */
  maxBytes: number;
  /** Its maxmemory-policy. */
  policy: string;
  /** How often it has answered OOM since it started. */
  refused: number;
}

/** A primary that answers, and whose writes do not pass. */
export interface WriteTrouble {
  /** held: a write gets no answer, as when they are paused. refused: it is answered with an error. */
  code: 'held' | 'refused';
  /** The error; empty for one that is held. */
  said: string;
  /** For how long, as far as was asked. */
  forMs: number;
}

/** A process that this agent supervises. */
export interface ProcessView {
  /** False also of one that was killed and has not ended yet: it executes nothing any more. */
  running: boolean;
  /** It was killed, and waits in the kernel for its disk, or to give its memory back, before it ends. */
  ending: boolean;
  pid: number | null;
  /** When it died last without being asked to; null when it runs or was stopped on purpose. */
  diedAtMs: number | null;
  /** When it was restarted, oldest first. */
  restartsMs: readonly number[];
  /** The restart limit was reached: nothing is done until a person acts. */
  failed: boolean;
  /** Why a start was refused, or null. */
  refusal: Refusal | null;
  /** What the kernel says that it does; all zeros where that is not known. */
  activity: Activity;
  /** This agent started it, and did not take it over. */
  startedHere: boolean;
  /** Of a Sentinel or a gate: for how long it has answered nothing; 0 as long as that may be our own fault. */
  silentMs: number;
  /** Of a Sentinel or a gate: this very process has answered, at least once. */
  answered: boolean;
  /** What its log said when it died because it could not load its files; null when it did not. */
  damage: string | null;
  /** That its disk is full, as a sentence, or null. */
  noRoom: string | null;
}

export interface MemberView {
  id: string;
  host: string;
  address: string;
  port: number;
  /** Null for a member of another host. */
  process: ProcessView | null;
  /** It answered when last asked. */
  reachable: boolean;
  /** When it answered last. */
  seenAtMs: number;
  /** Since when it has answered each question; null while it does not. */
  answersSinceMs: number | null;
  /** The same, and how far it was then, to be shown; also of the process before. Null when it never answered. */
  lastAnswer: { atMs: number; offset: number } | null;
  /** It did not answer because its host says that nobody listens there: its process is certainly gone. */
  refuses: boolean;
  /** How long a running process has been silent; 0 when it answers. */
  silentMs: number;
  /** How long the oldest question to it has waited for an answer. */
  unansweredMs: number;
  /** Alive, though it does not serve, and says so. */
  busy: Busy | null;
  /**
   * It answers, and does not let this agent ask (its user was changed or taken away): what it said. What is known of it is old
   * then. Nothing is decided by this: a server that lives and is not known to be lost is left alone.
   */
  locksOut: string | null;
  role: MemberRole | null;
  /** What it said that it was when it last said so, to this agent or the one before; null when nobody knows. */
  lastRole: MemberRole | null;
  /** Whom a replica follows. */
  follows: { address: string; port: number } | null;
  linkUp: boolean;
  /** For how long nothing has come over its link, or how long ago that broke, as it says itself in whole seconds, in ms. */
  linkSilentMs: number;
  /** How much of what it sent it keeps for replicas that come back; 0 when it keeps nothing, or does not say. */
  backlogBytes: number;
  /** A replica that has once completed a synchronisation since its process started. */
  synced: boolean;
  syncing: boolean;
  offset: number;
  priority: number;
  /** Its priority is 0 because the agent of its host set that; an operator's 0 stays. False for a member of another host. */
  heldBack: boolean;
  /**
   * For how long the primary, when it last answered, has had something that this replica does not have, in ms; or this one has
   * followed somebody else, so that the primary is not told what it has.
   */
  behindMs: number;
  /** The primary has said that this replica has what the primary had once it was linked: catch-up.ts. */
  caughtUp: boolean;
  /**
   * Every gate waits for it, and it has all that was acknowledged before: catch-up.ts, or in-sync-record.ts. With durability
   * `async` nobody does.
   */
  awaited: boolean;
  /** Of a standalone member: who is in sync, as its own data have it (in-sync-record.ts); null for nothing. */
  inSync: InSyncRecord | null;
  /** Of a standalone member: in which epoch it was told last who leads; 0 for never. */
  toldIn: number;
  /** It takes nothing from whom it follows until it is told again, as an election wants it before it chooses. */
  fenced: boolean;
  /** Of a standalone member: who leads by its own data, as it last said; null when it says nothing, and of all others. */
  word: Word | null;
  /** It has said since this agent began whether it has such a word. */
  heard: boolean;
  keys: number | null;
  /** Null when it does not answer. */
  memory: MemoryRoom | null;
  /** It says that it can't write its AOF: as primary it would take no write, and no replica. */
  storeFails: boolean;
  /** Of a primary of this host: that a write did not pass when it was tried; null when it did, and of everyone else. */
  writes: WriteTrouble | null;
  /** The ids of the replication history that its data is of, and of the one before; empty when unknown. */
  histories: readonly string[];
  /** Of a local member that does not run: whether its files were looked at since it died. */
  diskKnown: boolean;
  /** Of a local member that does not run: false when its files hold no data, unless it was known to have none. */
  dataIntact: boolean;
  /** Of a local member that does not run: it had changes that are not in its files, which are RDBs or an AOF that was cut off. */
  dataStale: boolean;
  /** Of a local member that does not run: what it held when last seen, if its files still hold data. */
  kept: { keys: number; history: string } | null;
}

export interface SentinelView {
  id: string;
  host: string;
  address: string;
  port: number;
  process: ProcessView | null;
  reachable: boolean;
  /** When it answered last; null when it never did. */
  answeredAtMs: number | null;
  /** The id of the member that it names as the primary, or named when it answered last. */
  primary: string | null;
  configEpoch: number;
  /** When it made known that a majority agrees that the primary is down; null when it does not say so. */
  agreedDownAtMs: number | null;
  /** For how long the primary had not answered its PINGs when it was last asked; 0 before. */
  primarySilentMs: number;
  failoverInProgress: boolean;
  tilt: boolean;
  /** It says by itself that the primary is down, whatever the others say. */
  saysDown: boolean;
  /** It answers, and watches no primary of this name: it counts as unreachable. */
  watchesNothing: boolean;
  /** It watches nothing, and a moment before this agent found that out it said what it watched: that was its last word. */
  forgotLately: boolean;
  /** When this agent last told it what it is to watch; null when it never did. */
  toldAtMs: number | null;
  /** Since when it has named the server that it names; null before it named one. */
  namesSinceMs: number | null;
}

export interface GateView {
  id: string;
  host: string;
  address: string;
  port: number;
  replicaPort: number | null;
  process: ProcessView | null;
  /** down: it does not answer. */
  state: 'open' | 'holding' | 'refusing' | 'down';
  /** Why it holds or refuses, or what is unusual, as it says itself. */
  reason: string | null;
  clients: number;
}

export interface View {
  name: string;
  paused: boolean;
  /** The planned change that is under way (a switchover, a restart…), or null. */
  operation: string | null;
  /** Whether that one is to end when the primary is lost. */
  givesWay: boolean;
  /** Whether that one only waits, and changes nothing: what there is to do is done. */
  operationRests: boolean;
  /** Gates and Sentinels that die are started again whatever is under way: all but the agent's own start and end. */
  helpersKept: boolean;
  /** The agent ends: nothing is done beside that. */
  ending: boolean;
  members: readonly MemberView[];
  sentinels: readonly SentinelView[];
  gates: readonly GateView[];
  /** Since when, as far as was looked, no member acts as the primary that the Sentinels name; null while one does. */
  noPrimarySinceMs: number | null;
  /** The replica that a Sentinel selected for promotion, until the Sentinels name it. */
  selection: { member: string; atMs: number } | null;
  /**
   * Whom this agent, elected, made primary, as long as the Sentinels name the same one as before: when last, and how often.
   */
  promoted: { member: string; atMs: number; times: number } | null;
  /** Who refused lately to be made primary, and what it said. */
  unwilling: readonly { member: string; reason: string }[];
  /** Since when a majority of Sentinels names the same primary, as far as this agent heard; null before. */
  namedSinceMs: number | null;
  /** A Sentinel's last vote, as long as no change of primary followed it. Ours is one for this agent. */
  vote: { atMs: number; ours: boolean } | null;
  /** This agent stood and was not elected: when it may stand again. */
  standAgainAtMs: number | null;
  /** What else is wrong on this agent's host, a sentence each. */
  troubles: readonly string[];
}

/**
 * Whom the Sentinels name: a majority of all of them, at the highest epoch among those who agree. Without Sentinels, whom the
 * members name: own-word.ts.
 */
export function namedPrimary(view: View): { id: string; epoch: number } | null {
  if (!hasVoters(view)) return leadByOwnWord(view.members);
  const majority = Math.floor(view.sentinels.length / 2) + 1;
  const words = new Map<string, { votes: number; epoch: number }>();
  for (const { reachable, primary, configEpoch } of view.sentinels) {
    if (!reachable || primary === null) continue;
    const word = words.get(primary) ?? { votes: 0, epoch: 0 };
    words.set(primary, { votes: word.votes + 1, epoch: Math.max(word.epoch, configEpoch) });
  }
  for (const [id, { votes, epoch }] of words) if (votes >= majority) return { id, epoch };
  return null;
}

/** A standalone member that is another server's replica: it says nothing of whom it follows. */
export function isReplicaByHand({ reachable, busy, role, follows }: MemberView): boolean {
  return reachable && busy === null && role === 'replica' && follows === null;
}

/** The highest epoch that any Sentinel has that answers; without Sentinels, that any member was told in. */
export function sentinelsEpoch(view: View): number {
  const { sentinels } = view;
  if (!hasVoters(view)) return epochOfMembers(view.members);
  return Math.max(0, ...sentinels.flatMap(({ reachable, configEpoch }) => (reachable ? [configEpoch] : [])));
}

/** Who says that a failover is under way, in words; undefined when nobody does. */
export function failoverUnderWay({ sentinels, selection }: View): string | undefined {
  const busy = sentinels.find(({ failoverInProgress }) => failoverInProgress);
  if (busy) return `a failover is under way (${busy.id} says so)`;
  return selection ? `a failover is under way (${selection.member} was selected)` : undefined;
}

/**
 * A Sentinel is at replacing the primary that the majority names. Whom it has promoted only it knows until the others hear of it,
 * up to some seconds later, and so does not an agent that was started since it chose: such a one looks like a second primary, and who
 * follows it already like one that is astray. Either turned back would undo the failover.
 */
export function isBeingReplaced(view: View): boolean {
  const named = namedPrimary(view)?.id;
  return view.sentinels.some(
    ({ reachable, primary, failoverInProgress }) => reachable && failoverInProgress && primary === named,
  );
}

/** Why nothing that is planned may begin: no primary that all agree on, and that answers. Undefined when all is calm. */
export function notCalm(view: View): string | undefined {
  const named = namedPrimary(view);
  if (!named) return nobodyIsNamed(view);
  const failover = failoverUnderWay(view);
  if (failover !== undefined) return failover;
  const primary = view.members.find(({ id }) => id === named.id);
  const answers = primary?.reachable && !primary.busy && primary.role === 'primary';
  return answers ? undefined : `the primary ${named.id} does not answer as one`;
}

/** Why nobody is named, as a clause. */
export function nobodyIsNamed(view: { sentinels: readonly unknown[] }): string {
  return hasVoters(view) ? 'no majority of Sentinels says who is primary' : 'no member says who leads';
}

/** Whose word it is who is primary, as the beginning of a sentence. */
export function whoNames(view: View): string {
  return hasVoters(view) ? 'the Sentinels name' : 'the members name';
}

/**
 * The member that acts as primary and is the Sentinels' choice: selected just now, or named by a majority. Without Sentinels one
 * that was started again acts as one when it has been told so.
 */
export function actingPrimary(view: View): MemberView | null {
  const acts = (member: MemberView) =>
    member.reachable && member.role === 'primary' && (hasVoters(view) || isSettled(member));
  const isActing = (id: string | undefined) =>
    view.members.find((member) => member.id === id && acts(member)) ?? null;
  return isActing(view.selection?.member) ?? isActing(namedPrimary(view)?.id);
}

/** What is said of it is so now. */
export function isKnownNow({ reachable, locksOut }: MemberView): boolean {
  return reachable && locksOut === null;
}

export function followsMember(replica: MemberView, primary: MemberView): boolean {
  return replica.follows?.address === primary.address && replica.follows.port === primary.port;
}

/** A replica that is to be told whom to follow. */
export function isAstray(replica: MemberView, primary: MemberView): boolean {
  return replica.role === 'replica' && (replica.fenced || !followsMember(replica, primary));
}

/** A primary that the Sentinels have replaced. */
export function isDeposed(view: View, member: MemberView): boolean {
  return member.role === 'primary' && isReplaced(view, member);
}

/**
 * The Sentinels name another member. While one of them names this one at an epoch as high as the majority's, the news of
 * its own election may still be on its way to the others, and demoting it would undo that.
 */
export function isReplaced(view: View, member: MemberView): boolean {
  const named = namedPrimary(view);
  if (named === null || named.id === member.id || view.selection !== null) return false;
  return !view.sentinels.some(
    ({ reachable, primary, configEpoch }) => reachable && primary === member.id && configEpoch >= named.epoch,
  );
}
