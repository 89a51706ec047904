import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aloneGate } from '../../src/render/gate-alone/alone-gate.ts';
import { renderGateAlone } from '../../src/render/gate-alone/targets.ts';
import type { RenderedFile } from '../../src/render/target.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import type { Spec } from '../../src/spec/spec.ts';
import { caseSpec, caseSpecs, renderCase } from '../support/render-cases.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-tools-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the files, with programs that are there in place of those that are not. @returns their paths. */
function write(files: readonly RenderedFile[], replace: [string, string][] = []): string[] {
  return files.map(({ name, text }) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(
      file,
      replace.reduce((all, [from, to]) => all.replaceAll(from, to), text),
    );
    chmodSync(file, 0o600);
    return file;
  });
}

const specs = Object.keys(caseSpecs);

test.each(specs)('systemd-analyze accepts the units of %s, and finds the agent well confined', (spec) => {
  const units = write(
    [...renderCase('systemd', caseSpec(spec)), ...renderCase('sysctl', caseSpec(spec))],
    [['/usr/local/bin/holdfast', '/bin/true']],
  ).filter((file) => file.endsWith('.service'));
  expect(units.length).toBeGreaterThan(1);
  for (const unit of units) {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    // The unit for huge pages is in another folder here, which the agent's unit only orders itself after.
    expect(stderr.trim()).toBe('');
    expect(status).toBe(0);
  }
  const agent = units.find((file) => !file.includes('hugepages')) as string;
  const report = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', agent], {
    encoding: 'utf8',
  });
  const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(report) ?? [];
  expect(Number(exposure)).toBeLessThanOrEqual(2);
});

test('systemd-analyze accepts the unit of a gate without an agent, and finds it well confined', () => {
  const config = {
    deployment: 'mymaster',
    listen: { host: '0.0.0.0', port: 6380 },
    sentinels: [{ address: 's1', port: 26379 }],
    memberCredentials: { username: 'gate', passwordFile: '/etc/holdfast/a password' },
    tls: { ca: 'ca.pem', upstream: true },
  };
  const files = renderGateAlone('systemd', aloneGate(JSON.stringify(config), 'gate.json'), {}, () => '');
  const [unit = ''] = write(files, [['/usr/local/bin/holdfast', '/bin/true']]);
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
  expect(stderr.trim()).toBe('');
  expect(status).toBe(0);
  const report = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', unit], {
    encoding: 'utf8',
  });
  const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(report) ?? [];
  expect(Number(exposure)).toBeLessThanOrEqual(2);
});

test.each(specs)('monit -t accepts the control files of %s', (spec) => {
  for (const file of write(renderCase('monit', caseSpec(spec), ['user=root']))) {
    const { stdout, stderr, status } = spawnSync('monit', ['-t', '-c', file], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('Control file syntax OK');
    expect(status).toBe(0);
  }
});

/** keepalived -t wants the interface to be there: one in a network namespace of its own (needs root). */
function keepalivedTest(file: string) {
  const script =
    'ip link add eth0 type veth peer name eth1 && ip link set eth0 up && exec keepalived -t -f "$0"';
  return spawnSync('unshare', ['--net', 'sh', '-c', script, file], { encoding: 'utf8' });
}

const root = process.getuid?.() === 0;

test.skipIf(!root)('keepalived -t accepts its configuration, with one virtual address and with two', () => {
  const ipv4 = parseSpec(
    'name: x\nhosts: { a: { address: 10.0.0.1, bind: 0.0.0.0 }, b: { address: 10.0.0.2, bind: 0.0.0.0 }, c: { address: 10.0.0.3 } }\n' +
      'gate: { on: [a, b] }',
    'x.yaml',
  );
  const cases: [Spec, string[]][] = [
    [ipv4, ['address=10.0.0.200/24']],
    [ipv4, ['address=10.0.0.200/24', 'replicaAddress=10.0.0.201/24']],
    [caseSpec('everything'), ['address=fd00::200/64']],
  ];
  for (const [spec, set] of cases) {
    // With any script user but root, keepalived 2.2 -t ends itself: it takes its test for an orphaned child.
    const files = write(renderCase('keepalived', spec, set), [
      ['script_user nobody', 'script_user root'],
      ['script_user holdfast', 'script_user root'],
    ]);
    expect(files).toHaveLength(2);
    for (const file of files) {
      const { stdout, stderr, status } = keepalivedTest(file);
      expect(`${stdout}${stderr}`.trim()).toBe('');
      expect(status).toBe(0);
    }
  }
});

test('the tools do find faults', () => {
  const [unit] = write([
    { name: 'bad.service', text: '[Service]\nExecStart=/nowhere/at/all\n', secret: false },
  ]);
  expect(spawnSync('systemd-analyze', ['verify', unit as string]).status).not.toBe(0);
  const [control] = write([{ name: 'bad.monit', text: 'check proces x\n', secret: false }]);
  expect(spawnSync('monit', ['-t', '-c', control as string]).status).not.toBe(0);
  const [keepalived] = write([{ name: 'bad.conf', text: 'vrrp_instance x {\n nonsense y\n', secret: false }]);
  if (root) expect(keepalivedTest(keepalived as string).status).not.toBe(0);
});
