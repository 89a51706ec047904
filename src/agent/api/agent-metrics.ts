/**
 * What the agent knows, as metrics. Of the deployment, the members, the Sentinels and the listeners each agent tells what
 * it sees, of other hosts too: when agents disagree, that is news. Restarts, and what a gate counts, only the agent of
 * that host knows.
 */
import { counter, gauge, MetricsPage } from '../../base/metrics.ts';
import type { GateStatus } from '../../gate/control/control-api.ts';
import { addGateMetrics } from '../../gate/control/gate-metrics.ts';
import { gateStates, memberStates, sentinelStates } from '../../topology/condition.ts';
import type { BackupStatus } from '../backups/backup-schedule.ts';
import type { MemberVitals } from '../observe/member-vitals.ts';
import type { GateStatusLine, MemberStatus, SentinelStatus, Status } from './status-answer.ts';

const member = ['member', 'host'];
const sentinel = ['sentinel', 'host'];
const listener = ['gate', 'host'];

/** docs/metrics.md lists them; a test keeps the two equal. */
export const agentMetrics = {
  build: gauge('holdfast_build_info', 'Always 1; the labels say which version runs.', ['version', 'node']),
  started: gauge('holdfast_agent_start_time_seconds', 'When this agent started, in seconds since 1970.'),
  memory: gauge('holdfast_agent_resident_memory_bytes', 'Memory of this agent.'),
  cpu: counter('holdfast_agent_cpu_seconds_total', 'Processor time of this agent.'),

  state: gauge('holdfast_deployment_state', '1 for the state that the deployment is in.', ['state']),
  problems: gauge('holdfast_deployment_problems', 'Problems that status lists.'),
  paused: gauge('holdfast_deployment_paused', '1 while automatic actions are paused.'),
  operation: gauge('holdfast_deployment_operation', '1 while a planned change is under way.'),
  epoch: gauge(
    'holdfast_epoch',
    'Epoch in which the primary was named: one more at least with each failover.',
  ),
  primaryNamed: gauge(
    'holdfast_primary_named',
    '1 when a majority of Sentinels says who is primary, or, where there are none, a member.',
  ),

  events: counter('holdfast_events_total', 'Events since this agent started.', ['kind']),
  failovers: counter(
    'holdfast_failovers_total',
    'Failovers that this agent stood for election for, or was asked for.',
  ),
  switchovers: counter('holdfast_switchovers_total', 'Switchovers that this agent carried out.'),
  promotions: counter('holdfast_promotions_total', 'Members of this host that the agent promoted.'),
  changes: counter(
    'holdfast_primary_changes_total',
    'Times that the Sentinels, or where there are none the members, named another primary.',
  ),
  clockSteps: counter(
    'holdfast_clock_steps_total',
    'Times that this machine’s clock was set or stood still.',
  ),

  memberUp: gauge('holdfast_member_up', '1 when it answers and, as a replica, has its link.', member),
  memberState: gauge('holdfast_member_state', '1 for the state that it is in.', [...member, 'state']),
  role: gauge('holdfast_member_role', '1 for the role that it has.', [...member, 'role']),
  offset: gauge('holdfast_member_offset_bytes', 'How far it is in the replication stream.', member),
  lag: gauge('holdfast_member_lag_bytes', 'How far behind the primary; absent when unknown.', member),
  linkUp: gauge('holdfast_member_link_up', '1 when its replication link is up; a primary has 1.', member),
  restarts: counter('holdfast_member_restarts_total', 'Restarts by this agent.', member),
  keys: gauge('holdfast_member_keys', 'Keys in all its databases.', member),
  used: gauge('holdfast_member_memory_used_bytes', 'Memory that its data and buffers take.', member),
  max: gauge('holdfast_member_memory_max_bytes', 'Its maxmemory; 0 for no limit.', member),
  clients: gauge('holdfast_member_clients', 'Connections to it, those of gates and agents too.', member),
  processed: counter('holdfast_member_commands_total', 'Commands that it ran.', member),
  evicted: counter('holdfast_member_evicted_keys_total', 'Keys evicted at maxmemory.', member),
  saveOk: gauge('holdfast_member_last_save_ok', '1 when its last background save worked.', member),
  saved: gauge('holdfast_member_last_save_timestamp_seconds', 'When it last saved an RDB.', member),
  aofOk: gauge(
    'holdfast_member_aof_ok',
    '1 when its AOF is written, synced and rewritten without error.',
    member,
  ),

  sentinelUp: gauge('holdfast_sentinel_up', '1 when it answers.', sentinel),
  sentinelState: gauge('holdfast_sentinel_state', '1 for the state that it is in.', [...sentinel, 'state']),
  tilt: gauge('holdfast_sentinel_tilt', '1 while it is in TILT and acts on nothing.', sentinel),
  agrees: gauge('holdfast_sentinel_agrees', '1 when it names the primary that the majority names.', sentinel),
  sentinelRestarts: counter('holdfast_sentinel_restarts_total', 'Restarts by this agent.', sentinel),

  gateUp: gauge('holdfast_gate_up', '1 when it is open.', listener),
  gateState: gauge('holdfast_gate_state', '1 for the state that it is in.', [...listener, 'state']),
  gateClients: gauge('holdfast_gate_clients', 'Clients connected; 0 for gates of other hosts.', listener),
  gateRestarts: counter('holdfast_gate_restarts_total', 'Restarts by this agent.', listener),

  backup: gauge(
    'holdfast_backup_last_success_timestamp_seconds',
    'When the newest good backup was taken; absent without one.',
  ),
  backupFailing: gauge('holdfast_backup_failing', '1 when the last try to take one failed.'),
  verified: gauge(
    'holdfast_backup_last_verified_timestamp_seconds',
    'When a backup was last restored to prove it.',
  ),
  verifiedGood: gauge('holdfast_backup_last_verified_good', '1 when that one was what it should be.'),
};

/** Everything that a page of metrics is made of. */
export interface MetricsFacts {
  status: Status;
  /** Whom a majority of Sentinels names. */
  named: string | null;
  agent: { version: string; startedAtMs: number; memoryBytes: number; cpuSeconds: number };
  /** Events by kind since the agent started. */
  events: ReadonlyMap<string, number>;
  /** What each member last said of itself, by id. */
  vitals: ReadonlyMap<string, MemberVitals>;
  /** Restarts of the processes of this host, by id. */
  restarts: ReadonlyMap<string, number>;
  /** What holdfast's own gates of this host say. */
  gates: readonly GateStatus[];
}

export function metricsText(facts: MetricsFacts): string {
  const page = new MetricsPage({ deployment: facts.status.name });
  addAgent(page, facts);
  addDeployment(page, facts);
  for (const each of facts.status.members) addMember(page, each, facts);
  for (const each of facts.status.sentinels) addSentinel(page, each, facts);
  for (const each of facts.status.gates) addDoor(page, each, facts);
  for (const each of facts.gates) addGateMetrics(page, each);
  if (facts.status.backup) addBackup(page, facts.status.backup);
  return page.text();
}

function addAgent(page: MetricsPage, { agent }: MetricsFacts): void {
  page.add(agentMetrics.build, 1, { version: agent.version, node: process.versions.node });
  page.addAll(agentMetrics, {
    started: seconds(agent.startedAtMs),
    memory: agent.memoryBytes,
    cpu: agent.cpuSeconds,
  });
}

function addDeployment(page: MetricsPage, { status, named, events }: MetricsFacts): void {
  page.addState(agentMetrics.state, 'state', ['healthy', 'degraded', 'down'], status.state);
  page.addAll(agentMetrics, {
    problems: status.problems.length,
    paused: status.paused,
    operation: status.operation !== null,
    epoch: status.epoch,
    primaryNamed: named !== null,
  });
  for (const [kind, count] of events) page.add(agentMetrics.events, count, { kind });
  // Also when nothing has happened yet: a counter that appears with its first event has no increase then.
  page.addAll(agentMetrics, {
    failovers: (events.get('election') ?? 0) + (events.get('failover') ?? 0),
    switchovers: events.get('switchover') ?? 0,
    promotions: events.get('promoted') ?? 0,
    changes: events.get('primary') ?? 0,
    clockSteps: events.get('clock-step') ?? 0,
  });
}

function addMember(page: MetricsPage, { id, host, ...each }: MemberStatus, facts: MetricsFacts): void {
  const labels = { member: id, host };
  page.add(agentMetrics.memberUp, each.state === 'up', labels);
  page.addState(agentMetrics.memberState, 'state', memberStates, each.state, labels);
  page.addState(agentMetrics.role, 'role', ['primary', 'replica'], each.role, labels);
  page.addAll(
    agentMetrics,
    { lag: each.lagBytes, linkUp: each.linkUp, restarts: facts.restarts.get(id) },
    labels,
  );
  const vitals = facts.vitals.get(id);
  if (vitals === undefined) return;
  page.addAll(
    agentMetrics,
    {
      offset: each.offset,
      keys: vitals.keys,
      used: vitals.usedMemoryBytes,
      max: vitals.maxMemoryBytes,
      clients: vitals.clients,
      processed: vitals.commands,
      evicted: vitals.evictedKeys,
      saveOk: vitals.saveOk,
      saved: seconds(vitals.savedAtMs),
      aofOk: vitals.aofOk,
    },
    labels,
  );
}

function addSentinel(page: MetricsPage, each: SentinelStatus, { named, restarts }: MetricsFacts): void {
  const labels = { sentinel: each.id, host: each.host };
  page.addState(agentMetrics.sentinelState, 'state', sentinelStates, each.state, labels);
  page.addAll(
    agentMetrics,
    {
      sentinelUp: each.state === 'up' || each.state === 'tilt',
      tilt: each.state === 'tilt',
      agrees: each.primary !== null && each.primary === named,
      sentinelRestarts: restarts.get(each.id),
    },
    labels,
  );
}

function addDoor(page: MetricsPage, { id, host, state, clients }: GateStatusLine, facts: MetricsFacts): void {
  const labels = { gate: id, host };
  page.add(agentMetrics.gateUp, state === 'open', labels);
  page.addState(agentMetrics.gateState, 'state', gateStates, state, labels);
  page.addAll(agentMetrics, { gateClients: clients, gateRestarts: facts.restarts.get(id) }, labels);
}

function addBackup(page: MetricsPage, backup: BackupStatus): void {
  page.addAll(agentMetrics, {
    backup: secondsOf(backup.lastGoodAt),
    backupFailing: backup.lastError !== null,
    verified: secondsOf(backup.lastVerifiedAt),
    verifiedGood: backup.lastVerifiedGood,
  });
}

function secondsOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time) / 1000;
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
