/** When a standalone member is told that it leads on, and, where nobody votes, why nobody does. own-word.ts has the rules. Pure. */
import { hasVoters, isSettled, leadByOwnWord, ledBefore } from './own-word.ts';
import { actingPrimary, type MemberView, namedPrimary, type View } from './view.ts';

export interface LeadDecision {
  kind: 'lead-on';
  member: string;
  epoch: number;
  reason: string;
}

/** Those who may have been made the lead without that this agent knows of it. */
export function whoIsUnheard({ members }: Pick<View, 'members'>, lead: string): MemberView[] {
  return members.filter(({ id, heard }) => id !== lead && !heard);
}

/** A member of this host that is to be told that it leads; undefined when none is. */
export function decideLead(view: View): LeadDecision | undefined {
  if (hasVoters(view)) return leadsByVotes(view);
  const named = leadByOwnWord(view.members);
  const found = named === null ? first(view) : { ...named, why: 'it led last, by the word of all members' };
  const member = view.members.find(({ id }) => id === found?.id);
  if (found === undefined || member === undefined || isSettled(member)) return undefined;
  const { id } = member;
  if (!canBeTold(member) || whoIsUnheard(view, id).length > 0 || hasLostItsData(view, member))
    return undefined;
  // Who was left out of those in sync, by votes before, has a record of an earlier one.
  const epoch = Math.max(found.epoch, member.inSync?.epoch ?? 0);
  return { kind: 'lead-on', member: id, epoch, reason: `${id} leads: ${found.why}` };
}

/** One that says that it led, and not as what it is now, though it leads: it was another server's replica by hand. */
function leadsByVotes(view: View): LeadDecision | undefined {
  const named = namedPrimary(view);
  const member = view.members.find(({ id }) => id === named?.id);
  if (named === null || member === undefined || !canBeTold(member) || !ledBefore(member)) return undefined;
  const { id, word } = member;
  const epoch = Math.max(named.epoch, word?.epoch ?? 0);
  return { kind: 'lead-on', member: id, epoch, reason: `${id} leads: the Sentinels name it` };
}

function canBeTold({ process, reachable, busy, locksOut, role }: MemberView): boolean {
  return process?.running === true && reachable && !busy && locksOut === null && role === 'primary';
}

/** On a first start. */
function first({ members }: View): { id: string; epoch: number; why: string } | undefined {
  if (!members.every(({ heard, reachable, role }) => heard && reachable && role === 'primary'))
    return undefined;
  const holders = members.filter(({ keys }) => (keys ?? 0) > 0);
  const [begins] = holders.length > 0 ? holders : members;
  if (holders.length > 1 || begins === undefined) return undefined;
  const what = holders.length > 0 ? 'it is the only one that has data' : 'it is the first in the spec';
  return { id: begins.id, epoch: 1, why: `no member says who does, and ${what}` };
}

/** It is named, says nothing itself, and has nothing where another one has something. */
function hasLostItsData(
  { members }: Pick<View, 'members'>,
  { id, reachable, word, keys }: MemberView,
): boolean {
  if (!reachable || word !== null || keys !== 0) return false;
  return members.some((other) => other.id !== id && (other.keys ?? 0) > 0);
}

/** Why nobody leads, and what a person can do about it; undefined while somebody does. Whole sentences. */
export function whyNobodyLeads(view: View): string | undefined {
  if (hasVoters(view)) return undefined;
  const named = leadByOwnWord(view.members);
  if (named === null) return nobodySays(view);
  const lead = view.members.find(({ id }) => id === named.id);
  if (lead === undefined || (lead.reachable && lead.role === 'primary' && isSettled(lead))) return undefined;
  const others = list(view.members.filter(({ id }) => id !== named.id));
  if (lead.reachable && hasLostItsData(view, lead))
    return `${named.id} led last and has lost its data, which others have: holdfast failover makes one of them lead`;
  const unheard = whoIsUnheard(view, named.id);
  if (lead.reachable && unheard.length > 0)
    return `${named.id} led last, and ${list(unheard)} can't be asked whether another one does by now: it leads when ${list(unheard)} answers, or holdfast failover --to ${named.id} has it lead all the same`;
  if (lead.reachable) return undefined;
  return `${named.id} leads and does not answer, and nobody takes over by itself: holdfast failover has one of ${others} lead, once you know that ${named.id} does not`;
}

/** For whom writes wait that nobody but a person leaves out, and how; a sentence, or none. */
export function waitedFor(view: View): string[] {
  const lead = actingPrimary(view);
  if (hasVoters(view) || lead?.inSync == null) return [];
  const { inSync } = lead;
  const away = view.members.filter(
    ({ id, reachable, role, linkUp }) =>
      id !== lead.id && inSync.in.includes(id) && !(reachable && role === 'replica' && linkUp),
  );
  if (away.length === 0) return [];
  return [
    `writes wait for ${list(away)}, and nobody leaves it out by itself: when it does not come back, holdfast failover --to ${lead.id} has ${lead.id} lead without it`,
  ];
}

function nobodySays({ members }: View): string {
  const silent = members.filter(({ heard, reachable }) => !heard || !reachable);
  if (silent.length > 0) return `no member says who leads, and ${list(silent)} can't be asked`;
  const holders = members.filter(({ keys }) => (keys ?? 0) > 0);
  return `no member says who leads${holders.length > 1 ? `, and ${list(holders)} have data` : ''}: holdfast failover --to ${holders[0]?.id ?? members[0]?.id} has that one lead`;
}

function list(members: readonly { id: string }[]): string {
  return members.map(({ id }) => id).join(' and ');
}
