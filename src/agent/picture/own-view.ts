/** The view as this agent sees it by itself. Pure; colleague-view.ts adds what the others told. */
import type {
  ApiBackupStatus,
  ApiDrift,
  ApiGate,
  ApiHost,
  ApiMember,
  ApiMoves,
  ApiSentinel,
  ApiView,
} from '../../api/view.ts';
import type { GateStatus } from '../../gate/control/control-api.ts';
import type { Spec } from '../../spec/spec.ts';
import {
  type GateView,
  isKnownNow,
  type MemberView,
  type SentinelView,
  type View,
} from '../../topology/view.ts';
import type { GateStatusLine, MemberStatus, SentinelStatus, Status } from '../api/status-answer.ts';
import type { HeardVote } from '../election/election-watch.ts';
import type { MemberVitals } from '../observe/member-vitals.ts';
import type { GateRates } from './rates.ts';

export interface ViewFacts {
  spec: Spec;
  host: string;
  /** The monotonic clock's time, and the wall clock's at the same moment. */
  nowMs: number;
  wallMs: number;
  seq: number;
  /** How far the events of all hosts are known. */
  events: string;
  /** How often a job of this agent changed. */
  jobs: number;
  moves: ApiMoves;
  status: Status;
  view: View;
  vitals: ReadonlyMap<string, MemberVitals>;
  memberRates: ReadonlyMap<string, number>;
  gateStatuses: ReadonlyMap<string, GateStatus>;
  gateRates: ReadonlyMap<string, GateRates>;
  votes: ReadonlyMap<string, HeardVote>;
  here: Pick<ApiHost, 'version' | 'startedAt' | 'memoryBytes' | 'cpuShare' | 'load' | 'disk'>;
  operation: ApiView['operation'];
}

export function ownView(facts: ViewFacts): ApiView {
  const { spec, status, view, nowMs, wallMs } = facts;
  const gates = status.gates.map((line, index) => gateOf(line, view.gates[index] as GateView, facts));
  return {
    name: status.name,
    at: new Date(wallMs).toISOString(),
    host: facts.host,
    seq: facts.seq,
    events: facts.events,
    jobs: jobsText([[facts.host, facts.jobs]]),
    state: status.state,
    problems: status.problems,
    primary: status.primary,
    epoch: status.epoch,
    quorum: spec.sentinel.quorum,
    paused: status.paused,
    promoting: view.selection?.member ?? null,
    noPrimaryMs:
      view.noPrimarySinceMs === null ? null : Math.max(0, Math.round(nowMs - view.noPrimarySinceMs)),
    operation: facts.operation,
    clients: clientsOf(gates),
    members: status.members.map((line, index) => memberOf(line, view.members[index] as MemberView, facts)),
    sentinels: status.sentinels.map((line, index) =>
      sentinelOf(line, view.sentinels[index] as SentinelView, facts),
    ),
    gates,
    hosts: spec.hosts.map(({ id, address }): ApiHost => {
      if (id === facts.host) return { id, address, agent: 'here', missing: null, ageMs: null, ...facts.here };
      return {
        id,
        address,
        agent: 'missing',
        missing: 'it was not asked yet',
        ageMs: null,
        ...nothingOfHost,
      };
    }),
    drift: status.drift.map((each): ApiDrift => ({ ...each })),
    moves: facts.moves,
    backup: status.backup satisfies ApiBackupStatus | null,
  };
}

/** Of each host, how often a job of it changed. */
export function jobsText(each: readonly (readonly [host: string, jobs: number])[]): string {
  return each.map(([host, jobs]) => `${host}:${jobs}`).join();
}

const nothingOfHost = {
  version: null,
  startedAt: null,
  memoryBytes: null,
  cpuShare: null,
  load: null,
  disk: null,
};

function memberOf(line: MemberStatus, seen: MemberView, facts: ViewFacts): ApiMember {
  const vitals = facts.vitals.get(line.id);
  const { id, host, address, port, role, state, reason, stateForMs, pid } = line;
  const { linkUp, offset, lagBytes, restarts } = line;
  const follows = facts.spec.members.find(
    (other) => other.address === seen.follows?.address && other.port === seen.follows.port,
  );
  const isKnown = isKnownNow(seen);
  return {
    ...{ id, host, address, port, role, state, reason, stateForMs, pid, linkUp, offset, lagBytes, restarts },
    ageMs: line.seenAgeMs,
    follows: role === 'replica' ? (follows?.id ?? null) : null,
    lagMs: isKnown ? Math.max(0, Math.round(seen.behindMs)) : null,
    eligible: isKnown ? seen.priority > 0 : null,
    priority: isKnown ? seen.priority : null,
    keys: isKnown ? seen.keys : null,
    clients: vitals?.clients ?? null,
    commandsPerSecond: isKnown ? (facts.memberRates.get(id) ?? null) : null,
    evictedKeys: vitals?.evictedKeys ?? null,
    memory: vitals === undefined ? null : memoryOf(vitals),
    persistence: vitals === undefined ? null : persistenceOf(vitals),
    version: vitals?.version ?? null,
    refusal: line.refusal ?? null,
    refusalCode: line.refusalCode ?? null,
    trouble: line.trouble ?? null,
    troubleCode: line.troubleCode ?? null,
  };
}

function memoryOf(vitals: MemberVitals): ApiMember['memory'] {
  const { usedMemoryBytes, maxMemoryBytes, rssBytes, fragmentation } = vitals;
  return {
    usedBytes: usedMemoryBytes,
    maxBytes: maxMemoryBytes === 0 ? null : maxMemoryBytes,
    rssBytes,
    fragmentation,
  };
}

function persistenceOf(vitals: MemberVitals): ApiMember['persistence'] {
  const { savedAtMs, saving, saveOk, aofOk, rewriting, unsavedChanges } = vitals;
  return {
    savedAt: Number.isFinite(savedAtMs) ? new Date(savedAtMs).toISOString() : null,
    ...{ saving, saveOk, aofOk, rewriting, unsavedChanges },
  };
}

function sentinelOf(line: SentinelStatus, seen: SentinelView, facts: ViewFacts): ApiSentinel {
  const { id, host, address, port, state, reason, stateForMs, seenAgeMs, pid, primary } = line;
  const vote = facts.votes.get(id);
  const voted =
    vote === undefined
      ? null
      : {
          epoch: vote.epoch,
          ours: vote.ours,
          at: new Date(facts.wallMs - (facts.nowMs - vote.atMs)).toISOString(),
        };
  return {
    ...{ id, host, address, port, state, reason, stateForMs, pid, voted },
    ageMs: seenAgeMs,
    names: primary,
    epoch: seen.configEpoch,
    agreesDown: seen.reachable && seen.agreedDownAtMs !== null,
    failover: seen.reachable && seen.failoverInProgress,
  };
}

const mostCommands = 50;

function gateOf(line: GateStatusLine, seen: GateView, facts: ViewFacts): ApiGate {
  const { id, host, address, port, replicaPort, state, reason, stateForMs, pid } = line;
  const here = host === facts.host && seen.state !== 'down';
  const status = here ? facts.gateStatuses.get(id) : undefined;
  const rates = here ? facts.gateRates.get(id) : undefined;
  const primary = facts.spec.members.find(
    (member) => member.address === status?.primary?.address && member.port === status.primary.port,
  );
  return {
    ...{ id, host, address, port, replicaPort, state, reason, stateForMs, pid },
    kind: facts.spec.gate.kind,
    ageMs: null,
    primary: primary?.id ?? null,
    primarySince: status?.primarySince ? new Date(status.primarySince).toISOString() : null,
    clients: here ? seen.clients : null,
    // A gate of a release before this one says only how many there are now.
    held: status?.heldLately ?? status?.held ?? null,
    commandsPerSecond: rates?.commandsPerSecond ?? null,
    errorsPerSecond: rates?.errorsPerSecond ?? null,
    bytesInPerSecond: rates?.bytesInPerSecond ?? null,
    bytesOutPerSecond: rates?.bytesOutPerSecond ?? null,
    latency: rates?.latency ?? { read: null, write: null },
    classes: rates?.classes ?? {},
    commands: mostFrequent(status?.commands ?? {}, mostCommands),
    errors: status?.errors ?? {},
    uncertain: status?.counters.uncertain ?? null,
    connections: status === undefined ? null : { ...status.connections },
    sentinelsSeen: status?.sentinelsSeen ?? null,
    memoryBytes: status?.process.rssBytes ?? null,
    cpuShare: rates?.cpuShare ?? null,
  };
}

function mostFrequent(counts: Readonly<Record<string, number>>, most: number): Record<string, number> {
  const sorted = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  return Object.fromEntries(sorted.slice(0, most));
}

/** What all gates say together, as far as it is known now. */
export function clientsOf(gates: readonly ApiGate[]): ApiView['clients'] {
  const fresh = gates.filter(({ ageMs }) => ageMs === null);
  const sum = (of: (gate: ApiGate) => number | null) =>
    fresh.reduce((total, gate) => total + (of(gate) ?? 0), 0);
  return {
    connected: sum(({ clients }) => clients),
    held: sum(({ held }) => held),
    commandsPerSecond: sum(({ commandsPerSecond }) => commandsPerSecond),
    errorsPerSecond: sum(({ errorsPerSecond }) => errorsPerSecond),
    latency: {
      read: slowest(fresh.map(({ latency }) => latency.read)),
      write: slowest(fresh.map(({ latency }) => latency.write)),
    },
  };
}

type Latency = ApiGate['latency']['read'];

function slowest(all: readonly Latency[]): Latency {
  const known = all.filter((each) => each !== null);
  if (known.length === 0) return null;
  return {
    p50Ms: Math.max(...known.map(({ p50Ms }) => p50Ms)),
    p99Ms: Math.max(...known.map(({ p99Ms }) => p99Ms)),
  };
}
