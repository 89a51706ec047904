import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentClient } from '../../src/agent/api/agent-client.ts';
import { statePaths } from '../../src/agent/state/paths.ts';
import { waitFor } from '../../src/base/retry.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { renderCase } from '../support/render-cases.ts';

const root = process.getuid?.() === 0;
const main = path.resolve('dist/cli/main.js');

let folder = '';
let monit: ReturnType<typeof spawn> | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-monit-'));
});
afterEach(async () => {
  const child = monit;
  monit = undefined;
  if (child && child.exitCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }
  // Agent and servers outlive Monit.
  try {
    execFileSync(process.execPath, [
      main,
      'down',
      path.join(folder, 'x.yaml'),
      '--state-dir',
      path.join(folder, 'state'),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Whether a process has this in its command line. */
function runs(pattern: string): boolean {
  return spawnSync('pgrep', ['-f', pattern]).status === 0;
}

test.skipIf(!root)(
  'Monit starts the agent again when it is killed, and Redis does not notice',
  { timeout: 120_000 },
  async () => {
    const port = await freePorts(10);
    const specText =
      `name: x\nredis: { port: ${port} }\nsentinel: { port: ${port + 3} }\ngate: { port: ${port + 6} }\n` +
      `agent: { port: ${port + 8} }\n`;
    const file = path.join(folder, 'x.yaml');
    writeFileSync(file, specText);
    mkdirSync(path.join(folder, 'bin'));
    symlinkSync(main, path.join(folder, 'bin', 'holdfast'));
    // What `render monit` writes, with this test's places for the installed ones.
    const [control] = renderCase('monit', parseSpec(specText, file), [
      'user=root',
      'interval=1',
      `port=${port + 9}`,
    ]);
    const text = (control?.text ?? '')
      .replaceAll('/usr/local/bin/holdfast', path.join(folder, 'bin', 'holdfast'))
      .replaceAll('/etc/holdfast/x.yaml', file)
      .replaceAll('/etc/holdfast/x\\.yaml', file.replaceAll('.', '\\.'))
      .replaceAll('/var/lib/holdfast/x', path.join(folder, 'state'))
      .replaceAll('PATH=', `PATH=${path.dirname(process.execPath)}:`)
      .replace('set log syslog', `set log ${folder}/monit.log`);
    const rc = path.join(folder, 'monitrc');
    const places = `set pidfile ${folder}/monit.pid\nset idfile ${folder}/monit.id\nset statefile ${folder}/monit.state\n`;
    writeFileSync(rc, places + text);
    chmodSync(rc, 0o600);
    mkdirSync(path.join(folder, 'state'), { mode: 0o700 });
    monit = spawn('monit', ['-I', '-c', rc], { stdio: 'ignore' });

    const paths = statePaths(path.join(folder, 'state'));
    const agent = new AgentClient(paths);
    const healthy = () =>
      waitFor(
        async () => {
          const status = await agent.status();
          return status.state === 'healthy' && status.members.every(({ pid }) => pid !== null)
            ? status
            : false;
        },
        { what: 'the agent and a healthy deployment', withinMs: 60_000, everyMs: 100 },
      );
    const agentPid = () =>
      Number(
        execFileSync('pgrep', ['-f', `bin/holdfast up ${file} .*--wait`], { encoding: 'utf8' })
          .trim()
          .split('\n')[0],
      );
    const before = await healthy();
    // Until the start is done, Monit waits for its time-out and looks at nothing else.
    await waitFor(() => !runs(`bin/holdfast up ${file} .*--detach`), {
      what: 'the start to be done',
      withinMs: 60_000,
    });
    const log = () => readFileSync(path.join(folder, 'monit.log'), 'utf8');
    await waitFor(() => log().includes("'holdfast-x' process is running with pid"), {
      what: 'Monit to know the agent',
      withinMs: 60_000,
      everyMs: 100,
    });
    const first = agentPid();
    process.kill(first, 'SIGKILL');
    await waitFor(() => agentPid() !== first, { what: 'another agent', withinMs: 60_000, everyMs: 100 });
    const after = await healthy();
    expect(after.primary).toBe(before.primary);
    const pids = ({ members, sentinels, gates }: typeof before) =>
      [...members, ...sentinels, ...gates].map(({ pid }) => pid);
    expect(pids(after)).toEqual(pids(before));
    expect(after.members.every(({ restarts }) => restarts === 0)).toBe(true);
  },
);
