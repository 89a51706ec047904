import { stringify } from 'yaml';
import { oldestGoodBackupMs } from '../../spec/backup-pace.ts';
import { backlogBytes } from '../../spec/sizing.ts';
import type { Spec } from '../../spec/spec.ts';

/**
 * Alerting rules for Prometheus. Each agent tells what it sees of the whole deployment, so every rule first makes one
 * figure of what they say: `max` where it is enough that one agent sees it, `min` where all have to.
 */
interface Alert {
  alert: string;
  expr: string;
  /** How long it must hold; omitted: at once. */
  for?: string;
  severity: 'critical' | 'warning';
  summary: string;
  /** What it means and what to do. */
  description: string;
}

/** The text of a rule file. */
export function alertRules(spec: Spec): string {
  return [
    `# Alerting rules for ${spec.name}, made by holdfast. What each metric is: docs/metrics.md of holdfast.`,
    stringify({ groups: alertGroups(spec) }, { lineWidth: 0 }),
  ].join('\n');
}

/** Groups of rules as Prometheus's rule files and the operator's PrometheusRule have them. */
export function alertGroups(spec: Spec): object[] {
  const alerts = [
    ...deploymentAlerts(spec),
    ...memberAlerts(spec),
    ...sentinelAlerts(spec),
    ...gateAlerts(spec),
    ...backupAlerts(spec),
  ];
  const rules = alerts.map(({ alert, expr, for: held, severity, summary, description }) => ({
    alert,
    expr,
    ...(held === undefined ? {} : { for: held }),
    labels: { severity, deployment: spec.name },
    annotations: { summary: `${spec.name}: ${summary}`, description },
  }));
  return [{ name: `holdfast-${spec.name}`, rules }];
}

/** A metric of this deployment. */
function of({ name }: Spec, metric: string, more = ''): string {
  return `${metric}{deployment="${name}"${more === '' ? '' : `,${more}`}}`;
}

function deploymentAlerts(spec: Spec): Alert[] {
  const agents = spec.hosts.length;
  return [
    {
      alert: 'HoldfastDown',
      expr: `min by (deployment) (${of(spec, 'holdfast_deployment_state', 'state="down"')}) == 1`,
      for: '15s',
      severity: 'critical',
      summary: 'no member takes writes',
      description: 'holdfast status names what is missing, holdfast events what happened.',
    },
    {
      alert: 'HoldfastUnseen',
      expr: `absent(${of(spec, 'holdfast_epoch')})`,
      for: '1m',
      severity: 'critical',
      summary: 'no agent answers Prometheus',
      description:
        'Redis may run well, but nobody watches it. Look at the agents, then at the token and the network.',
    },
    {
      alert: 'HoldfastAgentGone',
      expr: `count(${of(spec, 'holdfast_epoch')}) < ${agents}`,
      for: '1m',
      severity: 'warning',
      summary: `fewer than ${agents} agents answer Prometheus`,
      description: 'A host without an agent restarts nothing and fails over only after detectAfter.',
    },
    {
      alert: 'HoldfastDegraded',
      expr: `max by (deployment) (${of(spec, 'holdfast_deployment_problems')}) > 0`,
      for: '5m',
      severity: 'warning',
      summary: '{{ $value }} problems for 5 minutes',
      description: 'It serves, but something is wrong: holdfast status says what.',
    },
    {
      alert: 'HoldfastPrimaryChangesOften',
      expr: `max by (deployment) (increase(${of(spec, 'holdfast_primary_changes_total')}[1h])) > 3`,
      severity: 'warning',
      summary: 'the primary changed more than three times in an hour',
      description: 'holdfast events says why each time: crashes, hangs, or a network that comes and goes.',
    },
    {
      alert: 'HoldfastPausedLong',
      expr: `min by (deployment) (${of(spec, 'holdfast_deployment_paused')}) == 1`,
      for: '2h',
      severity: 'warning',
      summary: 'automatic actions have been paused for two hours',
      description: 'Nobody restarts or fails over what crashes. holdfast resume ends the pause.',
    },
    {
      alert: 'HoldfastClockStepped',
      expr: `increase(${of(spec, 'holdfast_clock_steps_total')}[15m]) > 0`,
      severity: 'warning',
      summary: 'the clock of {{ $labels.instance }} was set, or the machine stood still',
      description:
        'Sentinels go into TILT and keys expire early or late. holdfast events says how far; run chrony.',
    },
  ];
}

function memberAlerts(spec: Spec): Alert[] {
  const each = (metric: string, more = '') => `max by (deployment, member) (${of(spec, metric, more)})`;
  const lowest = (metric: string) => `min by (deployment, member) (${of(spec, metric)})`;
  const behind = Math.floor(backlogBytes(spec.redis.maxMemoryBytes) / 2);
  return [
    {
      alert: 'HoldfastMemberDown',
      expr: `${each('holdfast_member_up')} == 0`,
      for: '1m',
      severity: 'warning',
      summary: '{{ $labels.member }} is not up',
      description:
        'One copy of the data less. The agent of its host starts it again; holdfast events says what stands in the way.',
    },
    {
      alert: 'HoldfastMemberGivenUp',
      expr: `${each('holdfast_member_state', 'state=~"failed|refused"')} == 1`,
      severity: 'critical',
      summary: '{{ $labels.member }} is not started any more',
      description:
        'The restart limit was reached, or starting it would lose data. holdfast status says which, and what to do.',
    },
    {
      alert: 'HoldfastReplicaBehind',
      expr: `${lowest('holdfast_member_lag_bytes')} > ${behind}`,
      for: '1m',
      severity: 'warning',
      summary: '{{ $labels.member }} is {{ $value | humanize1024 }}B behind',
      description:
        'That is half the backlog: beyond it, a lost link means a full copy, and a failover would lose these writes.',
    },
    {
      alert: 'HoldfastMemoryFull',
      expr: `${each('holdfast_member_memory_used_bytes')} / (${each('holdfast_member_memory_max_bytes')} > 0) > 0.9`,
      for: '5m',
      severity: 'warning',
      summary: '{{ $labels.member }} uses {{ $value | humanizePercentage }} of maxMemory',
      description: `At the limit, ${spec.redis.maxMemoryPolicy === 'noeviction' ? 'writes are refused' : 'keys are evicted'}. holdfast size says what more data needs.`,
    },
    {
      alert: 'HoldfastSaveFailing',
      expr: `${lowest('holdfast_member_last_save_ok')} == 0`,
      for: '1m',
      severity: 'critical',
      summary: 'the last background save of {{ $labels.member }} failed',
      description:
        'Redis refuses writes after that. Its log says why: no memory for the fork, or a full disk.',
    },
    {
      alert: 'HoldfastAofFailing',
      expr: `${lowest('holdfast_member_aof_ok')} == 0`,
      severity: 'critical',
      summary: '{{ $labels.member }} can’t write its AOF',
      description: 'What it acknowledges is not on its disk. Look at the disk and at its log.',
    },
    {
      alert: 'HoldfastRestarts',
      expr: `${each('holdfast_member_restarts_total').replace(/\(holdfast(.*)\)$/, '(increase(holdfast$1[15m]))')} > 2`,
      severity: 'warning',
      summary: '{{ $labels.member }} was restarted more than twice in 15 minutes',
      description: 'Its log says why it ends. After the restart limit it stays down.',
    },
  ];
}

function sentinelAlerts(spec: Spec): Alert[] {
  if (spec.sentinels.length === 0) return [];
  const each = (metric: string) => `max by (deployment, sentinel) (${of(spec, metric)})`;
  const majority = Math.floor(spec.sentinels.length / 2) + 1;
  return [
    {
      alert: 'HoldfastNoPrimaryNamed',
      expr: `max by (deployment) (${of(spec, 'holdfast_primary_named')}) == 0`,
      for: '30s',
      severity: 'critical',
      summary: 'no majority of Sentinels says who is primary',
      description:
        'Gates keep the primary that they have; nothing can fail over. holdfast status shows what each Sentinel names.',
    },
    {
      alert: 'HoldfastQuorumLost',
      expr: `sum by (deployment) (${each('holdfast_sentinel_up')}) < ${majority}`,
      for: '30s',
      severity: 'critical',
      summary: `only {{ $value }} of ${spec.sentinels.length} Sentinels answer`,
      description: `A failover needs ${majority}. Until then a primary that is lost stays lost.`,
    },
    {
      alert: 'HoldfastSentinelDown',
      expr: `${each('holdfast_sentinel_up')} == 0`,
      for: '1m',
      severity: 'warning',
      summary: '{{ $labels.sentinel }} doesn’t answer',
      description: 'The others still decide, with one less to spare.',
    },
    {
      alert: 'HoldfastSentinelTilt',
      expr: `${each('holdfast_sentinel_tilt')} == 1`,
      for: '1m',
      severity: 'warning',
      summary: '{{ $labels.sentinel }} is in TILT',
      description: 'It acts on nothing: its machine or its clock stands still again and again.',
    },
  ];
}

function gateAlerts(spec: Spec): Alert[] {
  if (spec.gates.length === 0) return [];
  const each = (metric: string, more = '') => `max by (deployment, gate) (${of(spec, metric, more)})`;
  const grown = (metric: string) => `max by (deployment, gate) (increase(${of(spec, metric)}[5m]))`;
  const down: Alert = {
    alert: 'HoldfastGateDown',
    expr: `${each('holdfast_gate_state', 'state=~"open|holding|refusing"')} == 0`,
    for: '30s',
    severity: 'critical',
    summary: '{{ $labels.gate }} doesn’t answer',
    description: 'Its clients are cut. The agent starts it again; its log says why it ended.',
  };
  if (spec.gate.kind === 'haproxy') return [down];
  return [
    down,
    {
      alert: 'HoldfastGateHolding',
      expr: `${each('holdfast_gate_held_clients')} > 0`,
      for: '15s',
      severity: 'critical',
      summary: '{{ $value }} clients of {{ $labels.gate }} wait for a primary',
      description: 'A failover takes a fraction of a second. This one doesn’t end: holdfast status.',
    },
    {
      alert: 'HoldfastUncertainWrites',
      expr: `${grown('holdfast_gate_uncertain_total')} > 0`,
      severity: 'warning',
      summary: '{{ $labels.gate }} answered writes with UNCERTAIN',
      description:
        'The primary was lost before it answered: these writes may or may not have been applied. Their clients know.',
    },
    {
      alert: 'HoldfastHeldInVain',
      expr: `${grown('holdfast_gate_held_in_vain_total')} > 0`,
      severity: 'critical',
      summary: '{{ $labels.gate }} refused commands for want of a primary',
      description: 'They had waited as long as gate.hold allows.',
    },
    {
      alert: 'HoldfastClientsRefused',
      expr: `${grown('holdfast_gate_clients_refused_total')} > 0`,
      severity: 'warning',
      summary: '{{ $labels.gate }} turned clients away',
      description: `gate.limits.maxClients is ${spec.gate.limits.maxClients}.`,
    },
  ];
}

function backupAlerts(spec: Spec): Alert[] {
  if (spec.backup === null) return [];
  const oldestSeconds = Math.round(oldestGoodBackupMs(spec.backup) / 1000);
  const metric = of(spec, 'holdfast_backup_last_success_timestamp_seconds');
  return [
    {
      alert: 'HoldfastBackupOld',
      expr: `time() - max by (deployment) (${metric}) > ${oldestSeconds}`,
      severity: 'critical',
      summary: 'the last good backup is {{ $value | humanizeDuration }} old',
      description: `The schedule is "${spec.backup.schedule}" (${spec.backup.timezone}). holdfast events says what went wrong.`,
    },
    {
      alert: 'HoldfastBackupNotGood',
      expr: `min by (deployment) (${of(spec, 'holdfast_backup_last_verified_good')}) == 0`,
      severity: 'critical',
      summary: 'the backup that was verified last can’t be restored as it should',
      description:
        'holdfast backup list names it. Take another one now, and find out what happened to this one.',
    },
    {
      alert: 'HoldfastBackupFailing',
      expr: `max by (deployment) (${of(spec, 'holdfast_backup_failing')}) == 1`,
      for: '1h',
      severity: 'warning',
      summary: 'the last try to take a backup failed',
      description: 'holdfast status and holdfast events say why.',
    },
    {
      alert: 'HoldfastNoBackup',
      expr: `absent(${metric}) and on () count(${of(spec, 'holdfast_epoch')}) > 0`,
      for: `${oldestSeconds}s`,
      severity: 'critical',
      summary: 'there is no good backup',
      description:
        'None was ever taken, or the store can’t be reached. holdfast backup list shows what there is.',
    },
  ];
}
