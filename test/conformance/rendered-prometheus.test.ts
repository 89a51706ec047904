import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { alertRules } from '../../src/render/monitoring/alerts.ts';
import { rows } from '../../src/render/monitoring/panels.ts';
import type { RenderedFile } from '../../src/render/target.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { caseSpec, renderCase } from '../support/render-cases.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-prometheus-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(files: readonly RenderedFile[]): string {
  for (const { name, text } of files) writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  return folder;
}

function promtool(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', cwd: folder });
  return { status, text: `${stdout}${stderr}` };
}

test.each(['quickstart', 'everything'])('promtool accepts the configuration and the rules of %s', (name) => {
  write(renderCase('prometheus', caseSpec(name)));
  const config = promtool('check', 'config', 'prometheus.yml');
  expect(config.text).toContain('SUCCESS');
  expect(config.text).toMatch(/rules\.yml/);
  expect(config.status).toBe(0);
});

test('promtool finds faults, and every expression of the dashboard is one', () => {
  const rules = (exprs: string[]) =>
    stringify({
      groups: [{ name: 'x', rules: exprs.map((expr, index) => ({ record: `panel:${index}`, expr })) }],
    });
  const exprs = rows
    .flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(([expr]) => expr)))
    .map((expr) => expr.replaceAll('$D', 'deployment="x"').replaceAll('$__rate_interval', '1m'));
  writeFileSync(path.join(folder, 'panels.yml'), rules(exprs));
  const checked = promtool('check', 'rules', 'panels.yml');
  expect(checked.text).toContain(`${exprs.length} rules found`);
  expect(checked.status).toBe(0);
  writeFileSync(path.join(folder, 'bad.yml'), rules(['max by member (x)']));
  expect(promtool('check', 'rules', 'bad.yml').status).not.toBe(0);
});

/** What three agents say, minute by minute, and which alerts come of it. */
const firing: [alert: string, series: Record<string, string>, labels: Record<string, string>][] = [
  ['HoldfastDown', { 'holdfast_deployment_state{state="down"}': '1x10' }, {}],
  ['HoldfastAgentGone', { holdfast_epoch: 'two' }, {}],
  [
    'HoldfastMemberGivenUp',
    { 'holdfast_member_state{member="redis-2",state="failed"}': '1x10' },
    { member: 'redis-2' },
  ],
  [
    'HoldfastMemberGivenUp',
    { 'holdfast_member_state{member="redis-2",state="refused"}': '1x10' },
    { member: 'redis-2' },
  ],
  [
    'HoldfastMemoryFull',
    {
      'holdfast_member_memory_used_bytes{member="redis-1"}': '95x10',
      'holdfast_member_memory_max_bytes{member="redis-1"}': '100x10',
    },
    { member: 'redis-1' },
  ],
  ['HoldfastAofFailing', { 'holdfast_member_aof_ok{member="redis-1"}': '0x10' }, { member: 'redis-1' }],
  [
    'HoldfastQuorumLost',
    {
      'holdfast_sentinel_up{sentinel="sentinel-1"}': '1x10',
      'holdfast_sentinel_up{sentinel="sentinel-2"}': '0x10',
      'holdfast_sentinel_up{sentinel="sentinel-3"}': '0x10',
    },
    {},
  ],
  [
    'HoldfastUncertainWrites',
    { 'holdfast_gate_uncertain_total{gate="gate-1"}': '0+1x10' },
    { gate: 'gate-1' },
  ],
  ['HoldfastGateHolding', { 'holdfast_gate_held_clients{gate="gate-1"}': '5x10' }, { gate: 'gate-1' }],
  [
    'HoldfastRestarts',
    { 'holdfast_member_restarts_total{member="redis-1"}': '0+1x10' },
    { member: 'redis-1' },
  ],
  ['HoldfastBackupOld', { holdfast_backup_last_success_timestamp_seconds: '-200000x10' }, {}],
  ['HoldfastUnseen', { holdfast_epoch: 'none' }, {}],
];

test('alerts come when they should, and not when all is well', () => {
  const spec = parseSpec(
    'name: x\nhosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 } }\n' +
      'redis: { maxMemory: 1gb }\nbackup: { to: "s3://bucket/" }',
    'x.yaml',
  );
  const rules = (parse(alertRules(spec)).groups[0].rules as Record<string, unknown>[]).map(
    // promtool compares texts as well, which change with the wording.
    ({ annotations: _texts, ...rule }) => rule as { alert: string; labels: object },
  );
  writeFileSync(path.join(folder, 'rules.yml'), stringify({ groups: [{ name: 'x', rules }] }));
  const alertsOf = new Map(rules.map((rule) => [rule.alert, rule]));
  const seriesOf = (wanted: Record<string, string>) => {
    const agents =
      { none: [], two: ['a', 'b'], all: ['a', 'b', 'c'] }[wanted['holdfast_epoch'] ?? 'all'] ?? [];
    const own = Object.entries({ ...wanted, holdfast_epoch: '1x10' });
    return own.flatMap(([name, values]) =>
      agents.map((instance) => ({
        series: name.endsWith('}')
          ? `${name.slice(0, -1)},deployment="x",instance="${instance}"}`
          : `${name}{deployment="x",instance="${instance}"}`,
        values,
      })),
    );
  };
  const well = {
    'holdfast_deployment_state{state="down"}': '0x10',
    'holdfast_member_up{member="redis-1"}': '1x10',
    'holdfast_gate_uncertain_total{gate="gate-1"}': '7x10',
  };
  const tests = [
    ...firing.map(([alert, series, labels]) => ({
      interval: '1m',
      input_series: seriesOf(series),
      alert_rule_test: [{ eval_time: '9m', alertname: alert, exp_alerts: [alert], labels }],
    })),
    {
      interval: '1m',
      input_series: seriesOf(well),
      alert_rule_test: [...alertsOf.keys()].map((alertname) => ({
        eval_time: '9m',
        alertname,
        exp_alerts: [],
      })),
    },
  ].map(({ alert_rule_test, ...each }) => ({
    ...each,
    alert_rule_test: alert_rule_test.map(({ exp_alerts, alertname, eval_time, ...rest }) => ({
      eval_time,
      alertname,
      exp_alerts: exp_alerts.map(() => ({
        exp_labels: {
          deployment: 'x',
          ...('labels' in rest ? rest.labels : {}),
          ...alertsOf.get(alertname)?.labels,
        },
      })),
    })),
  }));
  writeFileSync(path.join(folder, 'tests.yml'), stringify({ rule_files: ['rules.yml'], tests }));
  const { status, text } = promtool('test', 'rules', 'tests.yml');
  expect(text).toContain('SUCCESS');
  expect(status).toBe(0);
});
