import { expect, test } from 'vitest';
import { MetricsPage } from '../../base/metrics.ts';
import type { GateStatus } from './control-api.ts';
import { addGateMetrics } from './gate-metrics.ts';
import { type Latency, LatencyHistogram } from './latency.ts';

/** @param read what the gate measured. */
function textOf(read: Latency): string {
  const page = new MetricsPage({});
  const none = new LatencyHistogram().read();
  const status = {
    ...{
      id: 'gate-1',
      held: 0,
      commandsKnown: true,
      connections: { shared: 1, private: 0 },
      sentinelsSeen: 3,
      sentinelsNeeded: 2,
    },
    ...{ classes: { read: 5, write: 0 }, commands: { 'client|setname': 2 }, errors: { WRONGTYPE: 1 } },
    ...{ closed: { 'slow-reader': 1 }, latency: { read, write: none }, counters: { uncertain: 3 } },
    process: { rssBytes: 1, cpuMs: 1500, loopActiveMs: 1, loopIdleMs: 2, upMs: 3 },
    workers: { wanted: 1, running: 1, restarts: 0 },
  };
  addGateMetrics(page, status as unknown as GateStatus);
  return page.text();
}

test('what is counted by kind has the kind as a label', () => {
  const text = textOf(new LatencyHistogram().read());
  expect(text).toContain('holdfast_gate_commands_total{gate="gate-1",class="read"} 5\n');
  expect(text).toContain('holdfast_gate_command_calls_total{gate="gate-1",command="client|setname"} 2\n');
  expect(text).toContain('holdfast_gate_errors_total{gate="gate-1",error="WRONGTYPE"} 1\n');
  expect(text).toContain('holdfast_gate_clients_closed_total{gate="gate-1",why="slow-reader"} 1\n');
  expect(text).toContain('holdfast_gate_cpu_seconds_total{gate="gate-1"} 1.5\n');
});

test('times are in buckets whose bounds are always the same, and that hold all that was measured', () => {
  const latency = new LatencyHistogram();
  for (const [ms, count] of [
    [0.001, 1],
    [0.1, 10],
    [0.9, 100],
    [1000, 1000],
    [90_000, 7],
  ] as const)
    latency.record(ms, count);
  const lines = textOf(latency.read())
    .split('\n')
    .filter(
      (line) => line.startsWith('holdfast_gate_latency_seconds_bucket') && line.includes('kind="read"'),
    );
  const below = lines.map((line) => {
    const [, le = '', count] = /le="([^"]+)"\} (\d+)/.exec(line) ?? [];
    return [le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), Number(count)] as const;
  });
  expect(below).toHaveLength(24);
  expect(below.find(([le]) => le === 0.000016)?.[1]).toBe(1);
  expect(below.find(([le]) => le === 0.000128)?.[1]).toBe(11);
  expect(below.find(([le]) => le === 0.001024)?.[1]).toBe(111);
  expect(below.find(([le]) => le === 1.048576)?.[1]).toBe(1111);
  expect(below.at(-2)?.[1]).toBe(1111);
  expect(below.at(-1)).toEqual([Number.POSITIVE_INFINITY, 1118]);
  expect(below.map(([, count]) => count)).toEqual(below.map(([, count]) => count).toSorted((a, b) => a - b));
});
