/**
 * What differs between two specs of one deployment, beside what servers themselves are asked for (apply-spec.ts), and what it takes
 * to bring it about. Pure.
 */
import type { Spec } from '../../spec/spec.ts';
import { hasVoters } from '../../topology/own-word.ts';
import type { Change } from './spec-change.ts';

const downAndUp = 'down-and-up' as const;

/**
 * What `apply` does not do: whatever has another place now (a process more or less, another port or address), a gate of another
 * kind, and what would be lossy while it runs. @param gates ids of those of this host
 */
export function changesRefused(before: Spec, after: Spec, gates: readonly string[]): Change[] {
  const [from, to] = [before.gate.kind, after.gate.kind];
  // An agent knows how to run a gate from its start on.
  const kinds =
    from === to ? [] : gates.map((where) => ({ where, what: 'kind', from, to, takes: downAndUp }));
  return [...placementChanges(before, after), ...kinds];
}

/** What the gates of this host, the agent and its mirrors are told. @param gates ids of those of this host */
export function changesTold(before: Spec, after: Spec, gates: readonly string[]): Change[] {
  return [
    ...gateChanges(before, after, gates),
    ...agentChanges(before, after),
    ...mirrorChanges(before, after),
  ];
}

function gateChanges(before: Spec, after: Spec, gates: readonly string[]): Change[] {
  return gates.flatMap((where) =>
    differences(ofGates(before), ofGates(after)).map((each) => ({
      ...each,
      where,
      takes: 'restart' as const,
    })),
  );
}

/** What a gate is told. The virtual address is keepalived's; of standalone members `mirror.ack` says the durability. */
function ofGates({ gate, mirror }: Spec): object {
  const { virtualAddress: _others, kind: _kind, ...own } = gate;
  if (mirror === null) return own;
  const { durability: _ack, ...others } = own;
  return { ...others, 'mirror.ack': mirror.ack, 'mirror.read': mirror.read };
}

function agentChanges(before: Spec, after: Spec): Change[] {
  const ofAgent = ({ agent: { hangAfterMs, restarts }, mirror }: Spec) => ({
    ...{ hangAfterMs, restarts },
    ...(mirror === null ? {} : { 'mirror.onSplit': mirror.onSplit }),
  });
  const live = differences(ofAgent(before), ofAgent(after));
  return live.map((each) => ({ ...each, where: 'agent', takes: 'now' as const }));
}

/** Each is ended and begun as the spec says now, from where it stands. */
function mirrorChanges(before: Spec, after: Spec): Change[] {
  const whole = ({ mirrors }: Spec) => Object.fromEntries(mirrors.map((mirror) => [mirror.name, mirror]));
  const gone = Object.fromEntries(before.mirrors.map(({ name }) => [name, null]));
  return differences(whole(before), { ...gone, ...whole(after) }).map(({ what, from, to }) => ({
    ...{ where: `mirror ${what}`, what: 'mirror', from, to: to === 'null' ? 'ended' : to },
    takes: 'now' as const,
  }));
}

const apiPlace = 'the API';

/**
 * From `ack: quorum` to `all`, and back, something would be lost: a gate counts as it did until it is started again, and agents would
 * have any member lead that is in sync.
 */
function placementChanges(before: Spec, after: Spec): Change[] {
  const acks = [before, after].map(({ mirror }) => mirror?.ack);
  const countsOtherwise = acks.includes('quorum') && acks.includes('all');
  const placesOf = (spec: Spec) => {
    const all = [
      ...spec.members,
      ...spec.sentinels,
      ...spec.gates,
      {
        id: apiPlace,
        host: spec.agent.tls === null ? 'http' : 'https',
        address: spec.agent.bind.join(),
        port: spec.agent.port,
      },
    ];
    const isServer = ({ id }: { id: string }) => id !== apiPlace;
    const tls = spec.security.tls === null ? '' : ', TLS';
    const who = hasVoters(spec) ? '' : ', a person says who leads';
    const ack = countsOtherwise ? `, ack: ${spec.mirror?.ack}` : '';
    const topology = spec.mirror === null ? '' : `, standalone${who}${ack}`;
    return new Map(
      all.map((place) => [place.id, `${describePlace(place)}${isServer(place) ? tls + topology : ''}`]),
    );
  };
  const [old, now] = [placesOf(before), placesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((id) => old.get(id) !== now.get(id))
    .map((where) => ({
      where,
      what: 'place',
      from: old.get(where) ?? 'nowhere',
      to: now.get(where) ?? 'nowhere',
      takes: downAndUp,
    }));
}

function describePlace(place: {
  host: string;
  address: string;
  port: number;
  replicaPort?: number | null;
}): string {
  const second = place.replicaPort ? `, ${place.replicaPort}` : '';
  return `${place.host} ${place.address}:${place.port}${second}`.trim();
}

function differences(before: object, after: object): { what: string; from: string; to: string }[] {
  const old = new Map(Object.entries(before).map(([what, value]) => [what, JSON.stringify(value)]));
  return Object.entries(after)
    .map(([what, value]) => ({ what, from: old.get(what) ?? 'unset', to: JSON.stringify(value) }))
    .filter(({ from, to }) => from !== to);
}
