import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { caseSpec, caseSpecs, fileNamed, renderCase } from '../../../test/support/render-cases.ts';
import { agentMetrics } from '../../agent/api/agent-metrics.ts';
import type { Metric } from '../../base/metrics.ts';
import { gateMetrics } from '../../gate/control/gate-metrics.ts';
import { parseSpec } from '../../spec/parse.ts';
import type { Spec } from '../../spec/spec.ts';
import { alertRules } from './alerts.ts';
import { rows } from './panels.ts';

const known = new Map<string, Metric>(
  [...Object.values(agentMetrics), ...Object.values(gateMetrics)].map((each) => [each.name, each]),
);
/** Labels that Prometheus itself adds, that every metric has, and that histograms have. */
const everywhere = ['instance', 'job', 'deployment', 'le'];

/** What is wrong with the metrics and labels that an expression names; empty when nothing is. */
function faultsOf(expr: string): string[] {
  const used = [...expr.matchAll(/holdfast_\w+/g)].map(
    ([name]) => known.get(name) ?? known.get(name.replace(/_(bucket|sum|count)$/, '')) ?? name,
  );
  const labels = new Set([
    ...everywhere,
    ...used.flatMap((each) => (typeof each === 'string' ? [] : each.labels)),
  ]);
  const named = [
    ...[...expr.matchAll(/(\w+)\s*=~?"/g)].map((match) => match[1] ?? ''),
    ...[...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap((match) => (match[1] ?? '').split(/, */)),
  ].filter((label) => label !== '' && !labels.has(label));
  const strangers = used.filter((each) => typeof each === 'string').map((name) => `no metric ${name}`);
  return [
    ...strangers,
    ...named.map((label) => `no label ${label}`),
    ...(used.length === 0 ? ['nothing'] : []),
  ];
}

interface Rules {
  groups: {
    rules: {
      alert: string;
      expr: string;
      labels: { severity: string };
      annotations: Record<string, string>;
    }[];
  }[];
}

const rulesOf = (spec: Spec) => (parse(alertRules(spec)) as Rules).groups.flatMap(({ rules }) => rules);

test.each(Object.keys(caseSpecs))('every alert of %s asks for metrics and labels that there are', (name) => {
  const rules = rulesOf(caseSpec(name));
  for (const { alert, expr, annotations } of rules) {
    expect(faultsOf(expr), alert).toEqual([]);
    expect(expr, alert).toContain(`deployment="${caseSpec(name).name}"`);
    expect(annotations['summary'], alert).toMatch(/\S/);
    expect(annotations['description'], alert).toMatch(/\S/);
    // What a text names must have survived the expression.
    for (const [, label = ''] of (annotations['summary'] ?? '').matchAll(/\$labels\.(\w+)/g)) {
      if (label !== 'instance') expect(expr, alert).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
    }
  }
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
});

test('alerts are about what the spec has', () => {
  const alerts = (text: string) => rulesOf(parseSpec(text, 'x')).map(({ alert }) => alert);
  expect(alerts('name: x')).toContain('HoldfastGateHolding');
  expect(alerts('name: x')).not.toContain('HoldfastBackupOld');
  const haproxy = alerts('name: x\ngate: { kind: haproxy }\nbackup: { to: "s3://bucket/" }');
  expect(haproxy).toContain('HoldfastBackupOld');
  expect(haproxy).toContain('HoldfastGateDown');
  expect(haproxy).not.toContain('HoldfastGateHolding');
});

test('what this test looks for, it finds', () => {
  expect(faultsOf('max by (member) (holdfast_member_upp)')).toEqual([
    'no metric holdfast_member_upp',
    'no label member',
  ]);
  expect(faultsOf('rate(holdfast_gate_latency_seconds_bucket{kind="read"}[1m])')).toEqual([]);
  expect(faultsOf('holdfast_epoch{member="x"}')).toEqual(['no label member']);
  expect(faultsOf('up')).toEqual(['nothing']);
});

test('every panel asks for metrics and labels that there are', () => {
  for (const { queries, title } of rows.flatMap(({ panels }) => panels)) {
    for (const [expr, legend] of queries) {
      expect(faultsOf(expr), title).toEqual([]);
      for (const metric of expr.match(/holdfast_\w+/g) ?? [])
        expect(expr, title).toMatch(new RegExp(`${metric}\\{\\$D`));
      for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g))
        if (label !== 'instance') expect(expr, title).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
    }
  }
});

interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

test('the dashboard is one that Grafana takes: ids, places and targets', () => {
  const spec = caseSpec('quickstart');
  const model = JSON.parse(fileNamed(renderCase('grafana', spec), 'holdfast-quickstart.json').text);
  expect(model).toMatchObject({
    title: 'holdfast: quickstart',
    schemaVersion: 39,
    uid: 'holdfast-quickstart',
  });
  expect(model.templating.list.map(({ name }: { name: string }) => name)).toEqual(['source', 'deployment']);
  const ids = model.panels.map(({ id }: { id: number }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const taken = new Set<string>();
  for (const { gridPos, type, targets, title } of model.panels) {
    const { x, y, w, h } = gridPos as Box;
    expect(x + w, title).toBeLessThanOrEqual(24);
    for (let column = x; column < x + w; column += 1) {
      for (let line = y; line < y + h; line += 1) {
        expect(taken.has(`${column} ${line}`), title).toBe(false);
        taken.add(`${column} ${line}`);
      }
    }
    if (type === 'row') continue;
    expect(targets.length, title).toBeGreaterThan(0);
    expect(new Set(targets.map(({ refId }: { refId: string }) => refId)).size).toBe(targets.length);
    for (const { expr, datasource } of targets) {
      expect(expr).toContain('deployment="$deployment"');
      expect(expr).not.toContain('$D}');
      expect(datasource).toEqual({ type: 'prometheus', uid: '${source}' });
    }
  }
});
