/**
 * How a standalone member of `topology: mirror` says whom it follows: by the position of its stream (position.ts), under one key
 * that is the same at every member, and lies in its data, so that it is as old as they are.
 *
 * - No such key: it follows nobody. That is the member that leads, or one that nobody has told anything yet.
 * - `copying`: it is to follow, and has not all that the one it follows had when it began.
 * - `streaming`: it has everything of the other one up to this offset.
 *
 * `run` names whom it follows, which process of the member the position was written to (its run_id), the attempt, and `ended`
 * when the one that it follows hung up and all that it had sent is applied. Whoever removes the key, as a promotion does,
 * keeps every stream out of the member: its writes fail by their WATCH (target-writer.ts).
 *
 * Every word of who leads is of an **epoch**, that of the votes by which it was given, and a member keeps the last: in `run`,
 * or behind the run_id when it leads. A word of an earlier epoch is refused, so that nobody who comes late takes a member
 * back. Whoever is elected for others to have what was acknowledged **fences** them first: `fenced` in `run`. All is as it was, but no
 * stream gets in until a word of that epoch or a later one says whom it follows.
 */
import { randomBytes } from 'node:crypto';
import { isUnder } from '../base/key-prefixes.ts';
import type { Address } from '../redis/endpoint.ts';
import { type Info, infoAsReplica, replicationInfo } from '../redis/info.ts';
import { StreamNeedsCopy } from './errors.ts';
import { decodePosition, encodePosition, nowhere, type Position, positionKey } from './position.ts';
import type { Rewriter } from './rewrite.ts';

/** The stream's id, at every member. */
export const leadStream = 'lead';
export const leadKey = positionKey(leadStream);
const ownPrefix = Buffer.from(leadKey);
/** At the one that leads: its run_id, and the epoch in which it was told so. One that was started again since leads nobody until its agent says so. */
export const leadsKey = `${leadKey}:leads`;
export const ownKeys = [leadKey, leadsKey] as const;
/** What is under `ownKeys`. */
export type OwnKeys = readonly [lead: string | null, leads: string | null];
/** Whether a key is about who leads and follows, which differs from member to member. */
export const isLeadKey = (key: Buffer): boolean => isUnder(key, ownPrefix);
/** Who is in sync with the one that leads (topology/in-sync-record.ts): it comes to the others with everything else. */
export const inSyncKey = `${leadKey}:in-sync`;
/** What is under it, as a field of what a standalone member's INFO is made into. */
export const inSyncField = 'holdfast_in_sync';
/** In which epoch it was told last whom to follow, or that it leads, and whether it is fenced: the same. */
export const epochField = 'holdfast_epoch';
export const fencedField = 'holdfast_fenced';
/** That it says that it leads, to the process that it is now or to one before: the same. */
export const leadsField = 'holdfast_leads';
export type LeadsSince = 'now' | 'before';

/** What a stream is called in a position, and what that says. */
export interface LeadRun {
  of: Address;
  /** The run_id of the member that it was written to; `noRun` when no stream has begun. */
  by: string;
  /** In which it was told so; 0 for none. */
  epoch: number;
  ended: boolean;
  /** No stream writes to it until it is told whom to follow. */
  fenced: boolean;
}

/** In the place of a run_id. */
export const noRun = '-';

export function newRun(of: Address, by: string, epoch: number): string {
  return `${of.address} ${of.port} ${by} ${epoch} ${randomBytes(8).toString('hex')}`;
}

export function endedRun(run: string): string {
  return `${run} ended`;
}

/** Undefined for what is none. */
export function readRun(run: string): LeadRun | undefined {
  const found = /^(\S+) (\d{1,5}) (\S+) (\d{1,16}) [0-9a-f]{16}(?: (ended|fenced))?$/.exec(run);
  if (found === null) return undefined;
  const [, address = '', port, by = '', epoch, state] = found;
  return {
    ...{ of: { address, port: Number(port) }, by, epoch: Number(epoch) },
    ...{ ended: state === 'ended', fenced: state === 'fenced' },
  };
}

/** What is written to a member that is to follow another one from now on. */
export function toFollow(of: Address, epoch: number): string {
  return encodePosition({ phase: 'copying', run: endedRun(newRun(of, noRun, epoch)), ...nowhere });
}

/** The same place, which no stream writes to any more. @returns undefined for what is no position of a member */
export function fencedAt(text: string, epoch: number): string | undefined {
  return inEpoch(text, epoch, (run) => `${run} fenced`);
}

/** The same place, from which its stream goes on. @returns undefined for what is no position of a member */
export function releasedAt(text: string, epoch: number): string | undefined {
  return inEpoch(text, epoch, endedRun);
}

function inEpoch(text: string, epoch: number, state: (run: string) => string): string | undefined {
  const position = readPosition(text);
  const run = position && readRun(position.run);
  return run && encodePosition({ ...position, run: state(newRun(run.of, run.by, epoch)) });
}

/** What the one that leads has under `leadsKey`. */
export function toLead(runId: string, epoch: number): string {
  return `${runId} ${epoch}`;
}

/** In which epoch a member was told last; 0 for never. */
export function epochOf([text, leads]: OwnKeys): number {
  const run = text === null ? undefined : readRun(readPosition(text)?.run ?? '');
  const led = Number(leads?.split(' ')[1] ?? 0);
  return Math.max(run?.epoch ?? 0, Number.isSafeInteger(led) ? led : 0);
}

/** Who leads, by a member's own data: `whom` null for itself. Null when they don't say. */
export function wordOf(own: OwnKeys): { whom: Address | null; epoch: number } | null {
  const [text, leads] = own;
  const run = text === null ? undefined : readRun(readPosition(text)?.run ?? '');
  if (run !== undefined) return { whom: run.of, epoch: epochOf(own) };
  return text === null && leads !== null ? { whom: null, epoch: epochOf(own) } : null;
}

/** A position, as far as it can be read. */
export function readPosition(text: string): Position | undefined {
  try {
    return decodePosition(text, leadKey) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * INFO of a standalone server as that of a replica, when it follows somebody: what the agent, gates and backups go by is
 * the same then. One that follows nobody is as it is, but for our own keys.
 * @param priority its replica-priority, which a server tells of itself only as a replica. @param inSync what is under `inSyncKey`
 */
export function asReplica(info: Info, own: OwnKeys, priority: number, inSync: string | null): Info {
  const [text, leads] = own;
  const said = withoutKeys(info, own.filter((each) => each !== null).length + (inSync === null ? 0 : 1));
  const record = {
    [epochField]: String(epochOf(own)),
    ...(inSync === null ? {} : { [inSyncField]: inSync }),
  };
  if (text === null) {
    const since: LeadsSince = leads?.split(' ')[0] === info['run_id'] ? 'now' : 'before';
    return { ...said, ...record, ...(leads === null ? {} : { [leadsField]: since }) };
  }
  const position = readPosition(text);
  const run = position && readRun(position.run);
  const hasBegun = position?.phase === 'streaming';
  const isOfThisProcess = hasBegun && run !== undefined && run.by === info['run_id'];
  const ended = isOfThisProcess && (run.ended || run.fenced);
  const linkUp = isOfThisProcess && !ended;
  const replica = infoAsReplica(said, {
    primaryAddress: run?.of.address,
    primaryPort: run?.of.port,
    linkUp,
    // Of a link that this process had an agent knows that it was in sync; of one that another had, it knows nothing.
    linkDownSeconds: ended ? 1 : undefined,
    syncing: position?.phase === 'copying',
    offset: position?.offset ?? 0,
    priority,
    replId: position?.replId ?? nowhere.replId,
  });
  return { ...replica, ...record, ...(run?.fenced ? { [fencedField]: '1' } : {}) };
}

/** Our own keys are nobody's data. */
function withoutKeys(info: Info, count: number): Info {
  const counted = /^keys=(\d+)(,.*)$/.exec(info['db0'] ?? '');
  if (counted === null) return info;
  return { ...info, db0: `keys=${Math.max(0, Number(counted[1]) - count)}${counted[2]}` };
}

/** Whether a standalone server may be taken for the one that leads, once somebody names it. */
export function mayLead([text, leads]: OwnKeys, runId: string | undefined): boolean {
  return text === null && (leads === null || leads.split(' ')[0] === runId);
}

/** Whether it leads as the process that it is now. @param saysSo it must say so, and not merely nothing else */
export function leadsItself(own: OwnKeys, info: Info, saysSo: boolean): boolean {
  const isReplica = replicationInfo(info).role === 'replica';
  return !isReplica && mayLead(own, info['run_id']) && (own[1] !== null || !saysSo);
}

const isOwnKey = (key: Buffer): boolean => ownKeys.some((each) => each === key.toString('latin1'));

const reachesOwnKeys = new Set(['set', 'del', 'move', 'swapdb']);

/** With database 0 the follower's own word, its position in it, would go elsewhere. @throws STREAM_NEEDS_COPY */
function exchanged(databases: readonly Buffer[]): 'as-it-is' {
  if (databases.every((each) => Number(each.toString('latin1')) !== 0)) return 'as-it-is';
  throw StreamNeedsCopy('the one that leads executed SWAPDB with database 0: everything is copied anew', {
    hint: 'Nothing is to be done.',
  });
}

/** Everything as it is, but for what a member says of itself. */
export const withoutLead: Rewriter = {
  targetDb: (db) => db,
  keepsKeys: true,
  targetKey: (key) => key,
  rewrite: (name, args) => {
    if (!reachesOwnKeys.has(name)) return 'as-it-is';
    const [, ...rest] = args();
    if (name === 'swapdb') return exchanged(rest);
    const keys = name === 'del' ? rest : rest.slice(0, 1);
    return keys.length > 0 && keys.every(isOwnKey) ? 'nothing' : 'as-it-is';
  },
  isUntouched: (name, command) => {
    if (!reachesOwnKeys.has(name)) return true;
    const isOfOneKey = name === 'del' ? command.argCount === 2 : name !== 'swapdb' && command.argCount > 2;
    return isOfOneKey && !command.argBeginsWith(ownPrefix);
  },
};
