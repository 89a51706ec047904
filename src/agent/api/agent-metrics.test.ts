import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Metric } from '../../base/metrics.ts';
import type { GateStatus } from '../../gate/control/control-api.ts';
import { gateMetrics } from '../../gate/control/gate-metrics.ts';
import { LatencyHistogram } from '../../gate/control/latency.ts';
import { agentMetrics, type MetricsFacts, metricsText } from './agent-metrics.ts';

const facts: MetricsFacts = {
  status: {
    name: 'orders',
    state: 'degraded',
    problems: ['redis-2 is down'],
    primary: 'redis-1',
    epoch: 4,
    paused: false,
    operation: 'a switchover',
    backup: {
      ...{
        lastGoodId: 'x',
        lastGoodAt: '2023-11-14T22:13:21.000Z',
        ageMs: 1,
        nextAt: null,
        lastError: 'no room',
      },
      ...{
        lastVerifiedAt: '2023-11-14T22:13:22.000Z',
        lastVerifiedGood: true,
        running: false,
        unread: false,
      },
    },
    members: [
      {
        ...{ id: 'redis-1', host: 'a', address: '10.0.0.1', port: 6379, role: 'primary', state: 'up' },
        ...{ pid: 1, offset: 500, lagBytes: 0, linkUp: true, restarts: 2 },
      },
      {
        ...{ id: 'redis-2', host: 'b', address: '10.0.0.2', port: 6379, role: null, state: 'down' },
        ...{ pid: null, offset: 0, lagBytes: null, linkUp: false, restarts: 0 },
      },
    ],
    sentinels: [
      { id: 'sentinel-1', host: 'a', address: '10.0.0.1', port: 1, state: 'up', pid: 2, primary: 'redis-1' },
      { id: 'sentinel-2', host: 'b', address: '10.0.0.2', port: 1, state: 'tilt', pid: null, primary: null },
    ],
    gates: [
      {
        ...{ id: 'gate-1', host: 'a', address: '10.0.0.1', port: 6380, replicaPort: null },
        ...{ state: 'holding', pid: 3, clients: 7 },
      },
    ],
  } as MetricsFacts['status'],
  named: 'redis-1',
  agent: { version: '0.1.0', startedAtMs: 1_700_000_000_500, memoryBytes: 1000, cpuSeconds: 1.5 },
  events: new Map([
    ['failover', 2],
    ['clock-step', 1],
  ]),
  vitals: new Map([
    [
      'redis-1',
      {
        ...{ keys: 9, usedMemoryBytes: 1e6, maxMemoryBytes: 0, clients: 4, commands: 1e7, evictedKeys: 0 },
        ...{ saveOk: true, savedAtMs: 1_700_000_000_000, aofOk: false },
        ...{ rssBytes: 2, fragmentation: 1, saving: false, rewriting: false, unsavedChanges: 0 },
        version: 'redis 7.0.15',
      },
    ],
  ]),
  restarts: new Map([
    ['redis-1', 2],
    ['sentinel-1', 0],
    ['gate-1', 1],
  ]),
  gates: [gateStatus()],
};

function gateStatus(): GateStatus {
  return {
    ...{ id: 'gate-1', pid: 3, state: 'holding', reason: null, primary: null, primarySince: null },
    ...{
      clients: 7,
      held: 5,
      heldLately: 5,
      sentinelsSeen: 2,
      sentinelsNeeded: 2,
      connections: { shared: 1, private: 3 },
      routes: {
        carts: { requests: 5, held: 1, state: 'holding', reason: 'gone', faults: { delayed: 1, failed: 2 } },
      },
      mirrors: {
        next: {
          ...{
            state: 'open',
            reason: null,
            copied: 9,
            dropped: 2,
            failed: 1,
            queuedBytes: 0,
            errors: { ERR: 1 },
          },
          latency: { read: new LatencyHistogram().read(), write: new LatencyHistogram().read() },
        },
      },
    },
    counters: {
      ...{ commands: 100, clientsAccepted: 8, clientsRefused: 1, held: 6, heldInVain: 0, replayed: 2 },
      ...{ retried: 3, uncertain: 4, switches: 1, bytesIn: 5000, bytesOut: 6000 },
    },
    ...{ commands: { get: 9 }, classes: { read: 9 }, errors: { ERR: 1 }, closed: { protocol: 1 } },
    latency: { read: new LatencyHistogram().read(), write: new LatencyHistogram().read() },
    process: { rssBytes: 1, cpuMs: 2, loopActiveMs: 3, loopIdleMs: 4, upMs: 5 },
    workers: { wanted: 1, running: 1, restarts: 0 },
  } as unknown as GateStatus;
}

const text = metricsText(facts);
const all: Metric[] = [...Object.values(agentMetrics), ...Object.values(gateMetrics)];

test('what is known is told, with whom it is about', () => {
  for (const line of [
    `holdfast_build_info{deployment="orders",version="0.1.0",node="${process.versions.node}"} 1`,
    'holdfast_agent_start_time_seconds{deployment="orders"} 1700000000.5',
    'holdfast_deployment_state{deployment="orders",state="degraded"} 1',
    'holdfast_deployment_state{deployment="orders",state="healthy"} 0',
    'holdfast_deployment_operation{deployment="orders"} 1',
    'holdfast_epoch{deployment="orders"} 4',
    'holdfast_primary_named{deployment="orders"} 1',
    'holdfast_failovers_total{deployment="orders"} 2',
    'holdfast_switchovers_total{deployment="orders"} 0',
    'holdfast_events_total{deployment="orders",kind="failover"} 2',
    'holdfast_clock_steps_total{deployment="orders"} 1',
    'holdfast_member_role{deployment="orders",member="redis-1",host="a",role="primary"} 1',
    'holdfast_member_role{deployment="orders",member="redis-2",host="b",role="primary"} 0',
    'holdfast_member_state{deployment="orders",member="redis-2",host="b",state="down"} 1',
    'holdfast_member_up{deployment="orders",member="redis-2",host="b"} 0',
    'holdfast_member_restarts_total{deployment="orders",member="redis-1",host="a"} 2',
    'holdfast_member_aof_ok{deployment="orders",member="redis-1",host="a"} 0',
    'holdfast_member_last_save_timestamp_seconds{deployment="orders",member="redis-1",host="a"} 1700000000',
    'holdfast_sentinel_agrees{deployment="orders",sentinel="sentinel-1",host="a"} 1',
    'holdfast_sentinel_agrees{deployment="orders",sentinel="sentinel-2",host="b"} 0',
    'holdfast_sentinel_tilt{deployment="orders",sentinel="sentinel-2",host="b"} 1',
    'holdfast_gate_state{deployment="orders",gate="gate-1",host="a",state="holding"} 1',
    'holdfast_gate_held_clients{deployment="orders",gate="gate-1"} 5',
    'holdfast_gate_uncertain_total{deployment="orders",gate="gate-1"} 4',
    'holdfast_backup_last_success_timestamp_seconds{deployment="orders"} 1700000001',
    'holdfast_backup_failing{deployment="orders"} 1',
    'holdfast_backup_last_verified_good{deployment="orders"} 1',
  ])
    expect(text.split('\n')).toContain(line);
});

test('what nobody knows is left out, not made up', () => {
  for (const pattern of [/lag_bytes.*redis-2/, /offset_bytes.*redis-2/, /keys.*redis-2/, /restarts.*redis-2/])
    expect(text).not.toMatch(pattern);
  const without = { ...facts, status: { ...facts.status, backup: null } };
  expect(metricsText(without)).not.toContain('holdfast_backup');
  expect(metricsText({ ...facts, named: null })).toContain('holdfast_primary_named{deployment="orders"} 0');
});

test('every metric appears once, in base units and with the labels that it says it has', () => {
  for (const { name, labels, type } of all) {
    expect(text.match(new RegExp(`^# TYPE ${name} `, 'gm')), name).toHaveLength(1);
    const [, found = ''] = new RegExp(`^${name}(?:_bucket)?\\{(.*)\\} `, 'm').exec(text) ?? [];
    const names = [...found.matchAll(/(\w+)="/g)].map((match) => match[1]).filter((each) => each !== 'le');
    expect(names, name).toEqual(['deployment', ...labels]);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(name).not.toMatch(/_(ms|mb|kb|minutes|milliseconds)(_|$)/);
  }
  expect(text.match(/^# TYPE /gm)).toHaveLength(all.length);
});

test('docs/metrics.md lists each metric as it is, and no other', () => {
  const rows = readFileSync('docs/metrics.md', 'utf8').match(/^\| `holdfast_.*$/gm);
  expect(rows).toEqual(
    all.map(
      ({ name, type, labels, help }) =>
        `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
    ),
  );
});
