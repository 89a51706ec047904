/** What the dashboard shows: rows of panels, top to bottom. `$D` stands for the label that picks the deployment. */
export interface Panel {
  title: string;
  /** What to think of it, shown behind the panel's corner. */
  description?: string;
  kind: 'stat' | 'timeseries' | 'table';
  /** Grafana's name of the unit. */
  unit?: string;
  queries: [expr: string, legend: string][];
  /** Columns of 24. */
  width: number;
  /** Texts and colours for values. */
  values?: [value: number, text: string, color: string][];
  stacked?: boolean;
}

export interface Row {
  title: string;
  panels: Panel[];
}

const byMember = 'max by (member)';
const byGate = 'max by (gate)';

/** The share of requests that took at most so long, by kind of request. */
function quantile(share: number): string {
  return `histogram_quantile(${share}, sum by (le, kind) (rate(holdfast_gate_latency_seconds_bucket{$D}[$__rate_interval])))`;
}

const now: Row = {
  title: 'Now',
  panels: [
    {
      title: 'State',
      kind: 'stat',
      queries: [
        [
          'min(holdfast_deployment_state{$D,state="healthy"}) + 2 * min(holdfast_deployment_state{$D,state="down"})',
          'state',
        ],
      ],
      values: [
        [0, 'degraded', 'orange'],
        [1, 'healthy', 'green'],
        [2, 'down', 'red'],
      ],
      width: 4,
    },
    {
      title: 'Primary',
      description: 'Who acts as primary. Two names for more than a moment are two primaries.',
      kind: 'stat',
      queries: [[`${byMember} (holdfast_member_role{$D,role="primary"}) == 1`, '{{member}}']],
      width: 4,
    },
    {
      title: 'Members up',
      kind: 'stat',
      queries: [[`sum(${byMember} (holdfast_member_up{$D}))`, 'members']],
      width: 4,
    },
    {
      title: 'Sentinels that agree',
      kind: 'stat',
      queries: [['sum(max by (sentinel) (holdfast_sentinel_agrees{$D}))', 'sentinels']],
      width: 4,
    },
    {
      title: 'Clients',
      kind: 'stat',
      queries: [[`sum(${byGate} (holdfast_gate_clients{$D}))`, 'clients']],
      width: 4,
    },
    {
      title: 'Last good backup',
      kind: 'stat',
      unit: 's',
      queries: [['time() - max(holdfast_backup_last_success_timestamp_seconds{$D})', 'age']],
      width: 4,
    },
  ],
};

const availability: Row = {
  title: 'Changes',
  panels: [
    {
      title: 'Roles',
      kind: 'timeseries',
      description: '1 while a member acts as primary.',
      queries: [[`${byMember} (holdfast_member_role{$D,role="primary"})`, '{{member}}']],
      width: 8,
    },
    {
      title: 'Events',
      kind: 'timeseries',
      description: 'What the agents did and saw. holdfast events has the sentences.',
      queries: [
        ['sum by (kind) (increase(holdfast_events_total{$D}[$__rate_interval]))', '{{kind}}'],
        ['max(increase(holdfast_primary_changes_total{$D}[$__rate_interval]))', 'primary changed'],
      ],
      width: 8,
    },
    {
      title: 'Restarts',
      kind: 'timeseries',
      queries: [
        [`${byMember} (holdfast_member_restarts_total{$D})`, '{{member}}'],
        ['max by (sentinel) (holdfast_sentinel_restarts_total{$D})', '{{sentinel}}'],
        [`${byGate} (holdfast_gate_restarts_total{$D})`, '{{gate}}'],
      ],
      width: 8,
    },
  ],
};

const clients: Row = {
  title: 'Clients, as the gates see them',
  panels: [
    {
      title: 'Commands',
      kind: 'timeseries',
      unit: 'ops',
      stacked: true,
      queries: [['sum by (class) (rate(holdfast_gate_commands_total{$D}[$__rate_interval]))', '{{class}}']],
      width: 8,
    },
    {
      title: 'Time to answer',
      kind: 'timeseries',
      description: 'From a request read to its answer passed on, holding included.',
      unit: 's',
      queries: [
        [quantile(0.5), '{{kind}} p50'],
        [quantile(0.99), '{{kind}} p99'],
      ],
      width: 8,
    },
    {
      title: 'Connected, and waiting for a primary',
      kind: 'timeseries',
      queries: [
        [`${byGate} (holdfast_gate_clients{$D})`, '{{gate}} connected'],
        [`${byGate} (holdfast_gate_held_clients{$D})`, '{{gate}} waiting'],
      ],
      width: 8,
    },
    {
      title: 'What failovers cost',
      kind: 'timeseries',
      description: 'Held and sent again: clients noticed a wait. Uncertain and in vain: they got an error.',
      queries: (['held', 'replayed', 'retried', 'uncertain', 'held_in_vain'] as const).map((name) => [
        `sum(increase(holdfast_gate_${name}_total{$D}[$__rate_interval]))`,
        name.replaceAll('_', ' '),
      ]),
      width: 8,
    },
    {
      title: 'Errors that clients got',
      kind: 'timeseries',
      unit: 'ops',
      queries: [['sum by (error) (rate(holdfast_gate_errors_total{$D}[$__rate_interval]))', '{{error}}']],
      width: 8,
    },
    {
      title: 'Bytes',
      kind: 'timeseries',
      unit: 'Bps',
      queries: [
        ['sum(rate(holdfast_gate_received_bytes_total{$D}[$__rate_interval]))', 'from clients'],
        ['sum(rate(holdfast_gate_sent_bytes_total{$D}[$__rate_interval]))', 'to clients'],
      ],
      width: 8,
    },
    {
      title: 'Most used commands',
      kind: 'table',
      queries: [
        [
          'topk(10, sum by (command) (rate(holdfast_gate_command_calls_total{$D}[$__rate_interval])))',
          '{{command}}',
        ],
      ],
      width: 8,
    },
    {
      title: 'Gates: share of an event loop that is busy',
      kind: 'timeseries',
      description: 'Near 1 for each worker, the gate is at its limit: more gate.workers, or more gates.',
      unit: 'percentunit',
      queries: [
        [
          `${byGate} (rate(holdfast_gate_loop_busy_seconds_total{$D}[$__rate_interval]) / (rate(holdfast_gate_loop_busy_seconds_total{$D}[$__rate_interval]) + rate(holdfast_gate_loop_idle_seconds_total{$D}[$__rate_interval])))`,
          '{{gate}}',
        ],
      ],
      width: 8,
    },
    {
      title: 'Closed and refused',
      kind: 'timeseries',
      queries: [
        ['sum by (why) (increase(holdfast_gate_clients_closed_total{$D}[$__rate_interval]))', '{{why}}'],
        ['sum(increase(holdfast_gate_clients_refused_total{$D}[$__rate_interval]))', 'too many'],
      ],
      width: 8,
    },
  ],
};

const members: Row = {
  title: 'Members',
  panels: [
    {
      title: 'Behind the primary',
      kind: 'timeseries',
      unit: 'bytes',
      queries: [[`min by (member) (holdfast_member_lag_bytes{$D})`, '{{member}}']],
      width: 8,
    },
    {
      title: 'Replication stream',
      kind: 'timeseries',
      unit: 'Bps',
      queries: [[`${byMember} (rate(holdfast_member_offset_bytes{$D}[$__rate_interval]))`, '{{member}}']],
      width: 8,
    },
    {
      title: 'Memory',
      kind: 'timeseries',
      unit: 'bytes',
      queries: [
        [`${byMember} (holdfast_member_memory_used_bytes{$D})`, '{{member}}'],
        [`max(holdfast_member_memory_max_bytes{$D}) > 0`, 'maxMemory'],
      ],
      width: 8,
    },
    {
      title: 'Keys',
      kind: 'timeseries',
      queries: [
        [`${byMember} (holdfast_member_keys{$D})`, '{{member}}'],
        [
          `${byMember} (rate(holdfast_member_evicted_keys_total{$D}[$__rate_interval])) > 0`,
          '{{member}} evicted a second',
        ],
      ],
      width: 8,
    },
    {
      title: 'Commands',
      kind: 'timeseries',
      unit: 'ops',
      queries: [[`${byMember} (rate(holdfast_member_commands_total{$D}[$__rate_interval]))`, '{{member}}']],
      width: 8,
    },
    {
      title: 'Since the last save',
      kind: 'timeseries',
      unit: 's',
      queries: [[`time() - ${byMember} (holdfast_member_last_save_timestamp_seconds{$D})`, '{{member}}']],
      width: 8,
    },
  ],
};

const holdfast: Row = {
  title: 'holdfast itself',
  panels: [
    {
      title: 'Memory',
      kind: 'timeseries',
      unit: 'bytes',
      queries: [
        ['holdfast_agent_resident_memory_bytes{$D}', 'agent {{instance}}'],
        [`${byGate} (holdfast_gate_resident_memory_bytes{$D})`, '{{gate}}'],
      ],
      width: 12,
    },
    {
      title: 'Processor time',
      kind: 'timeseries',
      unit: 'percentunit',
      queries: [
        ['rate(holdfast_agent_cpu_seconds_total{$D}[$__rate_interval])', 'agent {{instance}}'],
        [`${byGate} (rate(holdfast_gate_cpu_seconds_total{$D}[$__rate_interval]))`, '{{gate}}'],
      ],
      width: 12,
    },
  ],
};

export const rows: readonly Row[] = [now, availability, clients, members, holdfast];
