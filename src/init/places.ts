/** Where members and Sentinels go: hosts by their addresses, or one machine where everything is on loopback. */
import type { Address } from '../redis/endpoint.ts';
import { addressKind, isLoopback } from '../spec/address.ts';
import type { SpecFile } from '../spec/schema.ts';
import type { Found, Note } from './found.ts';

export interface Places {
  /** Undefined: everything is on this machine. */
  hosts: SpecFile['hosts'];
  redis: { members?: number; on?: string[]; port: number };
  sentinel: { count?: number; on?: string[]; port: number };
  memberCount: number;
  /** Another port for the agent, where one of these has its usual one. */
  agentPort: number | undefined;
  notes: Note[];
}

export function placesOf(found: Found): Places {
  const members = Array.isArray(found.members) ? (found.members as Address[]) : null;
  const sentinels = Array.isArray(found.sentinels) ? (found.sentinels as Address[]) : null;
  const memberCount = bounded(members?.length ?? (found.members as number), 1, 50);
  const foundSentinels = sentinels?.length ?? (found.sentinels as number);
  const sentinelCount = usableSentinels(foundSentinels);
  const notes = sentinelNotes(foundSentinels, sentinelCount);
  const known = [...(members ?? []), ...(sentinels ?? [])];
  const redisPort = members === null ? (found.redisPort ?? 6379) : firstPort(members, 6379);
  const wantedPort = firstPort(sentinels ?? [], found.sentinelPort ?? 26_379);
  const taken = portsFrom(redisPort, memberCount);
  const sentinelPort = clearOf(wantedPort, sentinelCount, taken);
  if (sentinelPort !== wantedPort) {
    const why = 'ports count up from the first on each host, and these would meet those of the members';
    notes.push({ path: ['sentinel', 'port'], what: `the port ${wantedPort}`, why });
  }
  const usual = 7080;
  const agent = clearOf(usual, 1, [...taken, ...portsFrom(sentinelPort, sentinelCount)]);
  const agentPort = agent === usual ? undefined : agent;
  if (known.every(({ address }) => isLoopback(address))) {
    notes.push(...portNotes('redis', members ?? []), ...portNotes('sentinel', sentinels ?? []));
    return {
      hosts: undefined,
      redis: { members: memberCount, port: redisPort },
      sentinel: { count: sentinelCount, port: sentinelPort },
      memberCount,
      agentPort,
      notes,
    };
  }
  const { hosts, idOf } = namedHosts(known, notes);
  const on = (members ?? []).map(({ address }) => idOf(address));
  const voters = (sentinels ?? []).map(({ address }) => idOf(address));
  for (const each of ['redis', 'sentinel'] as const) {
    notes.push(...portNotes(each, (each === 'redis' ? members : sentinels) ?? []));
  }
  const ids = Object.keys(hosts ?? {});
  // A host may have several: two members give three Sentinels by turns.
  for (let turn = 0; voters.length < sentinelCount; turn++) voters.push(ids[turn % ids.length] as string);
  for (let turn = 0; on.length < memberCount; turn++) on.push(ids[turn % ids.length] as string);
  return {
    hosts,
    redis: { on, port: redisPort },
    sentinel: { on: voters.slice(0, sentinelCount), port: sentinelPort },
    memberCount: on.length,
    agentPort,
    notes,
  };
}

/** At least three, and an odd number: what the spec allows. */
function usableSentinels(found: number): number {
  if (found < 3) return 3;
  return bounded(found % 2 === 0 ? found - 1 : found, 3, 49);
}

function sentinelNotes(found: number, used: number): Note[] {
  if (found === used) return [];
  const path = ['sentinel'];
  if (found === 0) {
    return [
      {
        path,
        what: 'no Sentinels were found',
        why: 'holdfast needs three, so that losing one leaves a majority',
      },
    ];
  }
  const why =
    found < used
      ? 'losing one of fewer than three leaves no majority'
      : 'an even number survives no more losses than one less, and can split in halves';
  return [{ path, what: `${found} Sentinels were found, ${used} are here`, why }];
}

function namedHosts(known: readonly Address[], notes: Note[]) {
  const addresses = [...new Set(known.map(({ address }) => address.toLowerCase()))];
  const ids = new Map(addresses.map((address, index) => [address, `host-${index + 1}`]));
  const kinds = new Set(addresses.map((address) => addressKind(address)));
  if (kinds.size > 1) {
    notes.push({
      path: ['hosts'],
      what: 'some addresses are names and some are IP addresses',
      why: 'Sentinels would take the two for different servers: write one kind for all',
    });
  }
  const loopback = addresses.filter(isLoopback);
  if (loopback.length > 0) {
    notes.push({
      path: ['hosts'],
      what: `${loopback.join(', ')} is an address on the machine that was asked`,
      why: 'other hosts reach it by another one: write that here',
    });
  }
  const hosts = Object.fromEntries(addresses.map((address) => [ids.get(address) as string, { address }]));
  return { hosts, idOf: (address: string) => ids.get(address.toLowerCase()) as string };
}

/** The spec has one first port, and counts up from it on each host. */
function portNotes(section: 'redis' | 'sentinel', places: readonly Address[]): Note[] {
  const port = firstPort(places, 0);
  const used = new Map<string, number>();
  const counted = places.map(({ address }) => {
    const before = used.get(address) ?? 0;
    used.set(address, before + 1);
    return port + before;
  });
  const found = places.map((place) => place.port).toSorted((a, b) => a - b);
  if (counted.toSorted((a, b) => a - b).join() === found.join()) return [];
  const what = `the ports ${places.map((place) => place.port).join(', ')}`;
  return [
    { path: [section, 'port'], what, why: 'the spec has one first port, and counts up from it on each host' },
  ];
}

function firstPort(places: readonly Address[], otherwise: number): number {
  return places.length === 0 ? otherwise : Math.min(...places.map(({ port }) => port));
}

function portsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** The first of so many ports from here on that meet none of those; from 10000 on where there is no room above. */
function clearOf(wanted: number, count: number, taken: readonly number[]): number {
  let port = wanted;
  while (portsFrom(port, count).some((each) => taken.includes(each))) port++;
  return port + count > 65_536 ? clearOf(10_000, count, taken) : port;
}

function bounded(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
