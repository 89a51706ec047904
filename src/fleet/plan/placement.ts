/**
 * Hosts, members, Sentinels and gates that come and go while the deployment runs. Pure. The rules:
 *
 * - Who runs already keeps its id; who is new gets a number that nobody had.
 * - What comes is there before what goes, so that there are never fewer replicas than before or after.
 * - One Sentinel at a time: of a majority of N and one of N+1 each two have one in common, so that nobody is elected twice in
 *   an epoch while some agents and Sentinels count the old hosts and others the new ones.
 * - One host at a time: what comes there is there before any other host is expected to see it.
 * - An apply that was interrupted is found in the middle: the longest way that is left from any host is gone.
 */
import type { GatePlace, Host, Place, Spec } from '../../spec/spec.ts';

const kinds = ['members', 'sentinels', 'gates'] as const;
type Kind = (typeof kinds)[number];
type Places = { [K in Kind]: Spec[K] };

const prefixes = { members: 'redis', sentinels: 'sentinel', gates: 'gate' } as const;

/** @param found the specs that the hosts have */
export function keepIds(spec: Spec, found: readonly Spec[]): Spec {
  if (found.length === 0) return spec;
  return { ...spec, ...mapKinds((kind) => keepIdsOf(kind, spec[kind], found) as never) };
}

function keepIdsOf<P extends Place>(kind: Kind, places: readonly P[], found: readonly Spec[]): P[] {
  const known = new Map<string, string>();
  for (const each of found)
    for (const [key, { id }] of keyed(each[kind])) if (!known.has(key)) known.set(key, id);
  const numbers = [...known.values()].map((id) => Number(id.split('-').at(-1)));
  let last = Math.max(0, ...numbers);
  return keyed(places).map(([key, place]) => {
    const id = known.get(key) ?? `${prefixes[kind]}-${++last}`;
    return { ...place, id };
  });
}

/** Each under its host, and which one of the host it is. */
function keyed<P extends Place>(places: readonly P[]): [string, P][] {
  const count = new Map<string, number>();
  return places.map((place) => {
    const nth = (count.get(place.host) ?? 0) + 1;
    count.set(place.host, nth);
    return [`${place.host} ${nth}`, place];
  });
}

/**
 * The specs to bring about one after the other; the last is the one that is wanted.
 * @param target with the ids that are there; @param found the specs that the hosts have
 */
export function stagesTo(target: Spec, found: readonly Spec[]): Spec[] {
  const ways = found.map((from) => wayFrom(from, target));
  const longest = ways.toSorted((one, other) => other.length - one.length)[0];
  return longest ?? [target];
}

function wayFrom(from: Spec, target: Spec): Spec[] {
  const added = groups(without(target, from));
  const gone = groups(without(from, target));
  const stages: Spec[] = [];
  let places: Places = mapKinds((kind) => from[kind] as never);
  const step = (next: Places) => {
    places = next;
    stages.push(stage(target, from, places));
  };
  for (const group of added) step(plus(places, group));
  for (const group of gone) step(minus(places, group));
  return [...stages.slice(0, -1), target];
}

/** The settings are the wanted ones at once; what counts Sentinels fits how many there are. */
function stage(target: Spec, from: Spec, places: Places): Spec {
  const used = new Set(kinds.flatMap((kind) => places[kind].map(({ host }) => host)));
  const hosts = [
    ...target.hosts,
    ...from.hosts.filter(({ id }) => !target.hosts.some((host) => host.id === id)),
  ];
  const count = places.sentinels.length;
  const quorum = Math.min(count, Math.max(target.sentinel.quorum, Math.floor(count / 2) + 1));
  return {
    ...target,
    ...places,
    hosts: hosts.filter(({ id }) => used.has(id)),
    sentinel: { ...target.sentinel, quorum },
  };
}

/** What one spec places and the other does not, by id and host. */
function without(spec: Spec, other: Spec): Places {
  return mapKinds((kind) => spec[kind].filter(({ id, host }) => !isIn(other[kind], id, host)) as never);
}

function isIn(places: readonly Place[], id: string, host: string): boolean {
  return places.some((place) => place.id === id && place.host === host);
}

/** Host by host, each group with one Sentinel at most. */
function groups(places: Places): Places[] {
  const hosts = [...new Set(kinds.flatMap((kind) => places[kind].map(({ host }) => host)))];
  return hosts.flatMap((host) => {
    const [first, ...more] = places.sentinels.filter((each) => each.host === host);
    const own = <P extends Place>(list: readonly P[]) => list.filter((each) => each.host === host);
    const whole = { members: own(places.members), sentinels: first ? [first] : [], gates: own(places.gates) };
    return [whole, ...more.map((each) => ({ members: [], sentinels: [each], gates: [] }))];
  });
}

function plus(one: Places, other: Places): Places {
  return mapKinds((kind) => [...one[kind], ...other[kind]] as never);
}

function minus(one: Places, other: Places): Places {
  return mapKinds((kind) => one[kind].filter(({ id, host }) => !isIn(other[kind], id, host)) as never);
}

function mapKinds(of: <K extends Kind>(kind: K) => Spec[K]): Places {
  return { members: of('members'), sentinels: of('sentinels'), gates: of('gates') };
}

/** What a stage adds to and takes from the one before, one sentence a host. */
export function describeStage(before: Spec, after: Spec): string[] {
  const said = (places: Places, verb: (host: string) => string) =>
    groups(places).map((group) => {
      const all: (Place | GatePlace)[] = kinds.flatMap((kind) => [...group[kind]]);
      return `${all.map(({ id }) => id).join(', ')} ${verb(all[0]?.host ?? '')}`;
    });
  return [
    ...said(without(after, before), (host) => `on host ${host}: joins`),
    ...said(without(before, after), (host) => `on host ${host}: goes`),
  ];
}

/** Hosts that have nothing left to do. */
export function leavingHosts(before: Spec, after: Spec): Host[] {
  return before.hosts.filter(({ id }) => !after.hosts.some((host) => host.id === id));
}
