/**
 * What taking over comes to, and what speaks against it. Pure. Nothing is taken over as long as anything speaks against
 * it: half a deployment of holdfast's and half of somebody else's would be worse than either.
 */
import type { Place, Spec } from '../../spec/spec.ts';
import type { SettingDifference } from '../settings/compare-settings.ts';
import type { AdoptionFacts, Found } from './facts.ts';
import { memberRefusals, settingsNow, settingsWaiting, warningsOf } from './member-rules.ts';
import type { Refusal } from './refusal.ts';
import { replicationRefusals } from './replication-rules.ts';
import { roomRefusals } from './room-rules.ts';
import { type SentinelsHere, sentinelRefusals, sentinelWarnings } from './sentinel-rules.ts';

export interface Taken {
  id: string;
  kind: 'member' | 'sentinel';
  address: string;
  port: number;
  pid: number;
  role: 'primary' | 'replica' | null;
  /** Where a member's data lies and stays. */
  folder: string | null;
  /** An interrupted run has begun with it. */
  begun: boolean;
  /** Set while it runs. */
  now: readonly SettingDifference[];
  /** As the spec has it from its next start on. */
  waiting: readonly SettingDifference[];
}

export interface Started {
  id: string;
  kind: 'member' | 'sentinel' | 'gate';
  address: string;
  port: number;
}

export interface AdoptionPlan {
  name: string;
  /** Whose part it is: what runs on other hosts is taken over there. */
  host: string;
  primary: string | null;
  /** Members of other hosts, which get holdfast's users already now: nobody logs in as one of them before all have them. */
  others: readonly string[];
  takes: readonly Taken[];
  starts: readonly Started[];
  refusals: readonly Refusal[];
  warnings: readonly string[];
}

/** @param keepersOff whoever asks says that nothing starts these processes again */
export function planAdoption(
  spec: Spec,
  host: string,
  facts: AdoptionFacts,
  { keepersOff }: { keepersOff: boolean },
): AdoptionPlan {
  const members = facts.members.flatMap(({ place, running }) =>
    running === null ? [] : [{ place, running }],
  );
  const sentinels = facts.sentinels.flatMap(({ place, running }) =>
    running === null ? [] : [{ place, running }],
  );
  const isHere = ({ place }: { place: { host: string } }) => place.host === host;
  const primary = members.find(({ running }) => running.role.role === 'primary')?.place ?? null;
  const unasked = [...facts.members, ...facts.sentinels].flatMap(({ place, problem }) =>
    problem === null
      ? []
      : [
          {
            where: place.id,
            what: `at ${place.address}:${place.port}: ${problem}`,
            fix: `Nothing is known of it, so nothing is taken over.${spec.security.tls === null ? ' If it speaks TLS, say security.tls.' : ''}`,
          },
        ],
  );
  const refusals: Refusal[] = [
    ...specRefusals(spec, facts.tlsProblems),
    ...unasked,
    ...(members.length === 0 && unasked.length === 0 ? [nothingThere(spec)] : []),
    ...members.flatMap((member) => memberRefusals(spec, member, facts, keepersOff)),
    ...replicationRefusals(spec, members),
    ...sentinelRefusals(spec, { sentinels, members, primary, uid: facts.uid, keepersOff }),
    ...(facts.portTaken === null
      ? []
      : [
          {
            where: 'the spec',
            what: facts.portTaken,
            fix: 'Choose other ports in the spec for what is started beside.',
          },
        ]),
    ...roomRefusals(facts),
  ];
  const here = { members: members.filter(isHere), sentinels: sentinels.filter(isHere) };
  const warnings = [
    ...here.members.flatMap((member) => warningsOf(spec, member)),
    ...sentinelWarnings(spec, here.sentinels),
  ];
  return {
    ...{ name: spec.name, host, primary: primary?.id ?? null },
    others: members.filter((member) => !isHere(member)).map(({ place }) => place.id),
    takes: takesOf(here, facts),
    starts: startsOf(spec, host, facts),
    refusals,
    warnings,
  };
}

function takesOf(
  { members, sentinels }: Pick<SentinelsHere, 'members' | 'sentinels'>,
  { wanted }: AdoptionFacts,
): Taken[] {
  return [
    ...members.map(
      ({ place, running }): Taken => ({
        ...placeOf(place),
        kind: 'member',
        pid: pidOf(running),
        role: running.role.role === 'primary' ? 'primary' : 'replica',
        folder: running.folder,
        begun: running.taken,
        now: settingsNow(running, wanted),
        waiting: settingsWaiting(running, wanted),
      }),
    ),
    ...sentinels.map(
      ({ place, running }): Taken => ({
        ...placeOf(place),
        ...{ kind: 'sentinel', pid: pidOf(running), role: null, folder: null, now: [], waiting: [] },
        begun: running.taken,
      }),
    ),
  ];
}

/** What this host has by the spec, and nobody listens where it is to be. */
function startsOf(spec: Spec, host: string, { members, sentinels }: AdoptionFacts): Started[] {
  const absent = (found: readonly Found<Place, unknown>[]) =>
    found.flatMap(({ place, running }) => (running === null && place.host === host ? [place] : []));
  return [
    ...started('member', absent(members)),
    ...started('sentinel', absent(sentinels)),
    ...started(
      'gate',
      spec.gates.filter((gate) => gate.host === host),
    ),
  ];
}

function pidOf({ process }: { process: { pid: number } | string | null }): number {
  return process === null || typeof process === 'string' ? 0 : process.pid;
}

function placeOf({ id, address, port }: { id: string; address: string; port: number }) {
  return { id, address, port };
}

function started(
  kind: Started['kind'],
  places: readonly { id: string; address: string; port: number }[],
): Started[] {
  return places.map((place) => ({ kind, ...placeOf(place) }));
}

function specRefusals({ security, mirror }: Spec, tlsProblems: readonly string[]): Refusal[] {
  const where = 'the spec';
  if (security.authority !== null) {
    const what = 'it has security.tls: auto, and what runs has certificates of another authority, or none';
    const fix =
      'Name the files that the servers have (cert, key and ca); or leave TLS out, as it is, until everything is taken over.';
    return [{ where, what, fix }];
  }
  if (mirror !== null) {
    const what = 'it has topology: mirror, and adopt takes over replicas and their primary';
    const fix = 'Start the deployment beside it, on other ports, and move the data in: holdfast migrate.';
    return [{ where, what, fix }];
  }
  return tlsProblems.map((what) => ({
    where,
    what,
    fix: 'Servers that start with it would not be believed by the others: name the files that they run with.',
  }));
}

function nothingThere({ members }: Spec): Refusal {
  const ports = members.map(({ address, port }) => `${address}:${port}`);
  return {
    where: 'the spec',
    what: `no server runs where it places the members: ${ports.join(', ')}`,
    fix: 'holdfast init --from redis://HOST:PORT writes the spec of what runs; holdfast up starts what does not.',
  };
}
