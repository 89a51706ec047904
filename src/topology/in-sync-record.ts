/**
 * Which standalone members a write must have reached (`topology: mirror` with `ack: quorum` or `all`), as the one that
 * leads has it in its data. So everybody who has the record has all that was written before it, and gates read at the lead
 * itself, behind the writes, for whom they have to wait. Pure.
 *
 * The promise: **who may lead has every write that was acknowledged.** Sentinels keep one thing for us that outlives any
 * member: the epoch of their configuration, which only rises. A record is of an epoch, and says `in`, `leaving`, `joining`:
 *
 * 1. Gates wait for all of `in`, `leaving` and `joining`; with a quorum for a majority, the lead counted, of `in` and
 *    `leaving`, and one of `in` and `joining`.
 * 2. A member may lead when its own record is as new as the Sentinels' epoch, and has it in `in`. (Or in `leaving`, when it
 *    is newer than that: the Sentinels do not know yet, so gates still wait.)
 * 3. Somebody is left out in this order: votes for a new epoch; the record of that epoch, with it in `leaving`, at the
 *    lead; those that stay have it; the Sentinels are told the epoch, and a majority says that it has it and, behind that,
 *    that it has voted in no later one; then it is not in `leaving` any more, and nobody waits for it. Its own record, whatever that says, is
 *    too old by then. Whoever is elected asks its voters for their epoch behind their votes: so one of them knows of
 *    everybody who was left out.
 * 4. Somebody joins without votes: first in `joining`, and when all have that, in `in`. It may lead once that has come to
 *    it, which is behind all that was acknowledged without it.
 * 5. With a quorum so many are heard that one of them has every acknowledged write, by the newest record among them, and
 *    the one that has most leads. Who knows of somebody who joins counts with it and without it. Only those are heard that
 *    are fenced before they say what they have (stream/lead-position.ts): the one that is replaced may go on, and what one of
 *    them got from it behind that would count for an acknowledgement, though another leads that lacks it.
 * 6. Who is made the lead has, in the very transaction, a record of that epoch with nobody else in it.
 */

export interface InSyncRecord {
  readonly epoch: number;
  /** Counts the records of an epoch. */
  readonly version: number;
  /** Ids of members, the lead among them. */
  readonly in: readonly string[];
  readonly leaving: readonly string[];
  readonly joining: readonly string[];
}

export type Ack = 'quorum' | 'all';

/** What is known of a member: its own record, and how far it is in which history. */
export interface Holder {
  id: string;
  record: InSyncRecord | null;
  /** It answers, and has what a member needs that takes over. */
  fit: boolean;
  history: string;
  offset: number;
}

/** Of one that was just made the lead. */
export function firstRecord(lead: string, epoch: number): InSyncRecord {
  return { epoch, version: 0, in: [lead], leaving: [], joining: [] };
}

export function encodeInSync({ epoch, version, ...sets }: InSyncRecord): string {
  return JSON.stringify({ epoch, version, in: sets.in, leaving: sets.leaving, joining: sets.joining });
}

/** Null for nothing, and for what is none. */
export function decodeInSync(text: string | null | undefined): InSyncRecord | null {
  let value: Partial<Record<keyof InSyncRecord, unknown>> | null;
  try {
    value = JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { epoch, version, leaving, joining } = value;
  const members = value.in;
  if (!isCount(epoch) || !isCount(version)) return null;
  if (!areNames(members) || !areNames(leaving) || !areNames(joining)) return null;
  return { epoch, version, in: members, leaving, joining };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function areNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/** Those that stay are in it, those that leave are waited for until the Sentinels have its epoch. */
export function withLeaving(before: InSyncRecord, gone: readonly string[], epoch: number): InSyncRecord {
  const stays = (id: string) => !gone.includes(id);
  const leaving = [...new Set([...before.leaving, ...before.in.filter((id) => !stays(id))])];
  return { epoch, version: 0, in: before.in.filter(stays), leaving, joining: before.joining.filter(stays) };
}

/** A majority of the Sentinels has its epoch. */
export function withoutLeaving(before: InSyncRecord): InSyncRecord {
  return { ...before, version: before.version + 1, leaving: [] };
}

export function withJoining(before: InSyncRecord, joining: readonly string[]): InSyncRecord {
  return { ...before, version: before.version + 1, joining };
}

/** All have the one in which they were joining. */
export function withJoined(before: InSyncRecord): InSyncRecord {
  return { ...before, version: before.version + 1, in: [...before.in, ...before.joining], joining: [] };
}

/** Whether a write is acknowledged. @param has who has it, the one that leads among them */
export function isAcknowledged(record: InSyncRecord, has: (id: string) => boolean, ack: Ack): boolean {
  return bothSets(record).every(
    (set) => set.filter(has).length >= (ack === 'all' ? set.length : majority(set)),
  );
}

/** How many other members have to have a write, at least. */
export function othersNeeded(record: InSyncRecord, ack: Ack): number {
  return Math.max(...bothSets(record).map((set) => (ack === 'all' ? set.length : majority(set)))) - 1;
}

/**
 * Of these, who may take over from one that leads no more. @param sentinelsEpoch the highest that those say that voted,
 * asked behind that
 */
export function whoMayLead(holders: readonly Holder[], sentinelsEpoch: number, ack: Ack): Holder[] {
  const settled = holders.flatMap(({ record }) => (record?.leaving.length === 0 ? [record.epoch] : []));
  const epoch = Math.max(sentinelsEpoch, ...settled);
  const able = holders.filter((each) => each.fit && mayLeadByItself(each, epoch));
  return ack === 'all' ? able : mostOf(able, holders, epoch);
}

function mayLeadByItself({ id, record }: Holder, epoch: number): boolean {
  if (record === null || record.epoch < epoch) return false;
  return record.in.includes(id) || (record.epoch > epoch && record.leaving.includes(id));
}

/** Those that have most, when so many are heard that nobody else can have more of what was acknowledged. */
function mostOf(able: readonly Holder[], holders: readonly Holder[], epoch: number): Holder[] {
  const newest = holders
    .flatMap((each) => (each.record === null ? [] : [{ ...each, record: each.record }]))
    .toSorted((a, b) => b.record.epoch - a.record.epoch || b.record.version - a.record.version)[0];
  if (newest === undefined || newest.record.epoch < epoch) return [];
  const heard = able.filter(({ history }) => history === newest.history);
  const isEnough = (set: readonly string[]) =>
    heard.filter(({ id }) => set.includes(id)).length > set.length - majority(set);
  const sets =
    newest.record.epoch > epoch ? bothSets(newest.record) : [newest.record.in, joinedSet(newest.record)];
  if (![newest.record.in, ...sets].every(isEnough)) return [];
  const candidates = heard.filter(({ id }) => newest.record.in.includes(id));
  const most = Math.max(...candidates.map(({ offset }) => offset));
  return candidates.filter(({ offset }) => offset === most);
}

function bothSets(record: InSyncRecord): readonly (readonly string[])[] {
  return [[...record.in, ...record.leaving], joinedSet(record)];
}

function joinedSet(record: InSyncRecord): readonly string[] {
  return [...record.in, ...record.joining];
}

function majority({ length }: readonly string[]): number {
  return Math.floor(length / 2) + 1;
}
