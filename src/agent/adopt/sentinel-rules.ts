/** Whether the Sentinels that run are those of the spec, and watch nothing but its primary. Pure. */

import { defaultUserMode } from '../../spec/secrets.ts';
import type { Member, SentinelPlace, Spec } from '../../spec/spec.ts';
import type { RunningSentinel } from './facts.ts';
import { type MemberHere, processRefusals } from './member-rules.ts';
import type { Refusal } from './refusal.ts';

export interface SentinelsHere {
  sentinels: readonly { place: SentinelPlace; running: RunningSentinel }[];
  members: readonly MemberHere[];
  primary: Member | null;
  uid: number;
  keepersOff: boolean;
}

export function sentinelRefusals(spec: Spec, here: SentinelsHere): Refusal[] {
  const { sentinels, members, uid, keepersOff } = here;
  const found = sentinels.flatMap(({ place, running }) => [
    ...processRefusals(place.id, running, uid, keepersOff),
    ...refusalsOf(spec, place, running, here.primary),
  ]);
  const known = new Set(sentinels.map(({ running }) => running.sentinelId.slice(0, 8)));
  for (const { place, running } of members) {
    const strangers = running.watchers.filter((id) => !known.has(id));
    if (strangers.length === 0) continue;
    const count = strangers.length === 1 ? 'a Sentinel' : `${strangers.length} Sentinels`;
    const what = `${count} that the spec does not name (${strangers.join(', ')}) ${strangers.length === 1 ? 'watches' : 'watch'} it`;
    const fix =
      'Two sets of Sentinels would each make another server primary. Write the spec from them: holdfast init --from sentinel://HOST:PORT/NAME; or have them forget it: SENTINEL REMOVE NAME.';
    found.push({ where: place.id, what, fix });
  }
  return found;
}

function refusalsOf(
  spec: Spec,
  { id }: SentinelPlace,
  running: RunningSentinel,
  primary: Member | null,
): Refusal[] {
  const says = (what: string, fix: string): Refusal => ({ where: id, what, fix });
  const watched = running.watches.find(({ name }) => name === spec.name);
  const names = running.watches.map(({ name }) => name).join(', ') || 'nothing';
  if (watched === undefined) {
    return [
      says(
        `it watches ${names}, and the spec's name is ${spec.name}`,
        `Give the spec the name that the Sentinels use.`,
      ),
    ];
  }
  const found: Refusal[] = [];
  if (running.watches.length > 1) {
    const fix =
      'A Sentinel of holdfast’s watches one deployment: have it forget the others (SENTINEL REMOVE NAME), where other Sentinels watch them.';
    found.push(says(`it watches ${names}`, fix));
  }
  if (primary !== null && (watched.address !== primary.address || watched.port !== primary.port)) {
    const what = `it names ${watched.address}:${watched.port} primary, and ${primary.id} at ${primary.address}:${primary.port} is`;
    found.push(
      says(
        what,
        'Wait until the Sentinels agree; write the spec with the addresses that they use (holdfast init --from).',
      ),
    );
  }
  const busy = running.flags.filter((flag) => /down|failover/.test(flag));
  if (busy.length > 0)
    found.push(says(`it says of the primary: ${busy.join(', ')}`, 'Wait until that is over.'));
  for (const { address, port } of running.colleagues) {
    const isOurs = spec.sentinels.some((each) => each.address === address && each.port === port);
    if (isOurs) continue;
    const fix =
      'Write the spec with all of them (holdfast init --from), an odd number; one that is gone for good is forgotten by SENTINEL RESET.';
    found.push(says(`it knows a Sentinel at ${address}:${port} that the spec does not have`, fix));
  }
  if (running.hasPassword && defaultUserMode(spec) === 'open') {
    const fix =
      'Give the members a password, and name it under security.users; or take the one of the Sentinels away.';
    found.push(says('it asks for a password, and by the spec everyone gets in', fix));
  }
  return found;
}

/** Clients that ask Sentinels are told before they are kept out. */
export function sentinelWarnings(spec: Spec, sentinels: SentinelsHere['sentinels']): string[] {
  if (defaultUserMode(spec) === 'open') return [];
  return sentinels.map(({ place, running }) => {
    const now = running.hasPassword ? 'takes the password that it has beside holdfast’s' : 'lets everyone in';
    return `${place.id} ${now}; from its next start on it takes holdfast’s only. Clients that ask Sentinels go to the gate before`;
  });
}
