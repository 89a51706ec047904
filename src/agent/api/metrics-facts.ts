import { readFileSync } from 'node:fs';
import { namedPrimary } from '../../topology/view.ts';
import type { Deployment } from '../deployment.ts';
import type { MetricsFacts } from './agent-metrics.ts';
import type { Status } from './status-answer.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Collects what the agent has at hand; asks nobody. @param events by kind since the agent started. */
export function metricsFacts(
  deployment: Deployment,
  status: Status,
  events: ReadonlyMap<string, number>,
): MetricsFacts {
  const { members, units, gates, setting } = deployment;
  const view = deployment.view();
  const cpu = process.cpuUsage();
  return {
    status,
    named: namedPrimary(view)?.id ?? null,
    agent: {
      version,
      startedAtMs: setting.clock.wallMs() - process.uptime() * 1000,
      memoryBytes: process.memoryUsage.rss(),
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
    },
    events,
    vitals: new Map(
      members.flatMap(({ place, watch }) => (watch.seen.vitals ? [[place.id, watch.seen.vitals]] : [])),
    ),
    restarts: new Map(units.map(({ id, restarts }) => [id, restarts])),
    gates: gates.flatMap(({ unit, adapter: { seen } }) =>
      unit?.process.running && seen.status ? [seen.status] : [],
    ),
  };
}
