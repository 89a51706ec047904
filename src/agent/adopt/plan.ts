/**
 * What taking over comes to, and what speaks against it. Pure. Nothing is taken over as long as anything speaks against
 * it: half a deployment of holdfast's and half of somebody else's would be worse than either.
 */
import type { Spec } from '../../spec/spec.ts';
import type { SettingDifference } from '../settings/compare-settings.ts';
import type { AdoptionFacts } from './facts.ts';
import { memberRefusals, settingsNow, settingsWaiting, warningsOf } from './member-rules.ts';
import type { Refusal } from './refusal.ts';
import { replicationRefusals } from './replication-rules.ts';
import { roomRefusals } from './room-rules.ts';
import { sentinelRefusals, sentinelWarnings } from './sentinel-rules.ts';

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
  primary: string | null;
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
  const primary = members.find(({ running }) => running.role.role === 'primary')?.place ?? null;
  const unasked = [...facts.members, ...facts.sentinels].flatMap(({ place, problem }) =>
    problem === null
      ? []
      : [
          {
            where: place.id,
            what: `at ${place.address}:${place.port}: ${problem}`,
            fix: 'Nothing is known of it, so nothing is taken over.',
          },
        ],
  );
  const refusals: Refusal[] = [
    ...specRefusals(spec),
    ...unasked,
    ...(members.length === 0 && unasked.length === 0 ? [nothingThere(spec, host)] : []),
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
  const takes: Taken[] = [
    ...members.map(
      ({ place, running }): Taken => ({
        ...placeOf(place),
        kind: 'member',
        pid: pidOf(running),
        role: running.role.role === 'primary' ? 'primary' : 'replica',
        folder: running.folder,
        begun: running.taken,
        now: settingsNow(running, facts.wanted),
        waiting: settingsWaiting(running, facts.wanted),
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
  const starts: Started[] = [
    ...started(
      'member',
      facts.members.filter(({ running }) => running === null).map(({ place }) => place),
    ),
    ...started(
      'sentinel',
      facts.sentinels.filter(({ running }) => running === null).map(({ place }) => place),
    ),
    ...started(
      'gate',
      spec.gates.filter((gate) => gate.host === host),
    ),
  ];
  const warnings = [
    ...members.flatMap((member) => warningsOf(spec, member)),
    ...sentinelWarnings(spec, sentinels),
  ];
  return { name: spec.name, primary: primary?.id ?? null, takes, starts, refusals, warnings };
}

function pidOf({ process }: { process: { pid: number } | string }): number {
  return typeof process === 'string' ? 0 : process.pid;
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

function specRefusals(spec: Spec): Refusal[] {
  const where = 'the spec';
  const refusals: Refusal[] = [];
  if (spec.hosts.length > 1) {
    const what = `it has ${spec.hosts.length} hosts, and adopt takes over what runs on one machine`;
    refusals.push({
      where,
      what,
      fix: 'Start the deployment beside it, on other ports, and move the data in: holdfast migrate.',
    });
  }
  if (spec.security.tls !== null) {
    const what = 'it has security.tls, and adopt takes over no servers that speak TLS';
    refusals.push({
      where,
      what,
      fix: 'Start the deployment beside it, on other ports, and move the data in: holdfast migrate.',
    });
  }
  if (spec.mirror !== null) {
    const what = 'it has topology: mirror, and adopt takes over replicas and their primary';
    refusals.push({
      where,
      what,
      fix: 'Start the deployment beside it, on other ports, and move the data in: holdfast migrate.',
    });
  }
  return refusals;
}

function nothingThere({ members }: Spec, host: string): Refusal {
  const ports = members
    .filter((member) => member.host === host)
    .map(({ address, port }) => `${address}:${port}`);
  return {
    where: 'the spec',
    what: `no server runs where it places the members: ${ports.join(', ')}`,
    fix: 'holdfast init --from redis://HOST:PORT writes the spec of what runs; holdfast up starts what does not.',
  };
}
