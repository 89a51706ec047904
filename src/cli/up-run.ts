/** The two ways to run an agent: in this process until it is told to stop, or in one of its own. */

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Status } from '../agent/api/status-answer.ts';
import { StartFailed } from '../agent/errors.ts';
import { checkStateDir } from '../agent/preflight.ts';
import { type RunningAgent, startAgent } from '../agent/run-agent.ts';
import { describeDuration } from '../base/duration.ts';
import { type ErrorJson, errorFromJson, errorToJson } from '../base/error-wire.ts';
import { errorText } from '../base/errors.ts';
import type { Spec } from '../spec/spec.ts';
import { type Output, outliveReader } from './output.ts';
import { StopSignals } from './stop-signals.ts';
import type { Target } from './target.ts';

export interface RunOptions {
  host: string;
  readyWithinMs: number;
  /** What is restored once it is up; null for nothing. */
  restore: string | null;
}

/** What a detached agent tells the command that started it. */
type Message = { step: string } | { ready: Status; notReady: string | null } | { failed: ErrorJson };

const detachedMark = 'HOLDFAST_DETACHED';

export async function runForeground(output: Output, target: Target, options: RunOptions): Promise<number> {
  if (process.env[detachedMark]) return runAsChild(target, options);
  outliveReader();
  const began = performance.now();
  const stop = new StopSignals();
  const agent = await start(target, options, stop, (step) => output.note(`  ${output.colors.dim(step)}`));
  announce(output, target.spec, options.host, performance.now() - began, agent.notReady);
  output.data(agent.api.status());
  if (options.restore !== null) void restoreOnceUp(target, options.restore, null);
  agent.deployment.events.listen(({ at, text }) =>
    output.note(`${output.colors.dim(at.slice(11, 19))} ${text}`),
  );
  return untilStopped(
    agent,
    stop,
    (line) => output.note(`  ${output.colors.dim(line)}`),
    'Ctrl-C stops it, and everything that it started.',
    output,
  );
}

/** Waits for `down`, or for a signal that means the same. */
async function untilStopped(
  agent: RunningAgent,
  signals: StopSignals,
  report: (line: string) => void,
  hint: string,
  output: Output | null,
): Promise<number> {
  output?.note(output.colors.dim(hint));
  let status = 0;
  signals.listen((name, again) => {
    if (again) {
      output?.note('Still stopping; every server is asked to save its data first.');
      return;
    }
    output?.note(`${name}: stopping.`);
    agent.down(report).catch((error: Error) => {
      status = 1;
      output?.note(`${output.colors.red('error:')} ${error.message}`);
      void agent.leave();
    });
  });
  // For an upgrade of holdfast itself: the next agent adopts what goes on running.
  let left = false;
  process.on('SIGUSR2', () => {
    left = true;
    void agent.leave();
  });
  await agent.ended;
  if (left) endBy('SIGUSR2');
  return status;
}

/** So that whoever guards the agent (systemd) can tell that it left from that it was stopped, which ends with 0. */
function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function start(
  { spec, paths }: Target,
  { host, readyWithinMs }: RunOptions,
  { signal }: StopSignals,
  report: (step: string) => void,
) {
  return startAgent({ spec, host, stateDir: paths.root, report, readyWithinMs, signal });
}

function announce(output: Output, spec: Spec, host: string, tookMs: number, notReady: string | null): void {
  const { bold, green, yellow } = output.colors;
  const gate = spec.gates.find((each) => each.host === host);
  if (notReady === null) {
    output.line(`${green('✓')} ${bold(spec.name)} takes writes after ${describeDuration(tookMs)}`);
  } else {
    output.note(`${yellow('warning:')} ${spec.name} runs, but takes no writes yet: ${notReady}`);
    output.note('It goes on trying; holdfast status shows what is missing.');
  }
  if (gate) {
    const { tls } = spec.security;
    const client = `redis-cli -h ${gate.address} -p ${gate.port}${tls ? ` --tls --cacert ${tls.ca}` : ''}`;
    output.line(`  read-write door  ${bold(`${gate.address}:${gate.port}`)}   ${client}`);
    if (gate.replicaPort) output.line(`  read-only door   ${bold(`${gate.address}:${gate.replicaPort}`)}`);
  }
  output.line(`  API              ${bold(`http://${spec.agent.bind[0]}:${spec.agent.port}/status`)}`);
}

/** Starts this very command again in a session of its own, and hears from it until it is ready. */
export async function runDetached(output: Output, target: Target, options: RunOptions): Promise<number> {
  const began = performance.now();
  await checkStateDir(target.paths.root);
  const log = openSync(target.paths.agentLog, 'a', 0o600);
  const args = [
    'up',
    target.file,
    '--host',
    options.host,
    '--state-dir',
    target.paths.root,
    '--wait',
    `${options.readyWithinMs}ms`,
  ];
  const child = spawn(process.execPath, [process.argv[1] as string, ...args], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...process.env, [detachedMark]: '1' },
  });
  closeSync(log);
  const { ready, notReady } = await new Promise<{ ready: Status; notReady: string | null }>(
    (resolve, reject) => {
      child.on('error', reject);
      child.on('exit', () =>
        reject(
          StartFailed('the agent ended while it started', {
            hint: `Its log says why: ${target.paths.agentLog}`,
          }),
        ),
      );
      child.on('message', (message: Message) => {
        if ('step' in message) output.note(`  ${output.colors.dim(message.step)}`);
        else if ('ready' in message) resolve(message);
        else reject(errorFromJson(message.failed));
      });
    },
  );
  child.removeAllListeners();
  child.disconnect();
  child.unref();
  announce(output, target.spec, options.host, performance.now() - began, notReady);
  output.line(`  agent            pid ${child.pid}, log ${target.paths.agentLog}`);
  if (options.restore === null) {
    output.data(ready);
    return notReady === null ? 0 : 3;
  }
  const { status, json } = await restoreOnceUp(target, options.restore, output);
  output.data({ ...ready, restore: json });
  if (status !== 0) output.note(`${target.spec.name} runs on without it.`);
  return status;
}

/**
 * In a process of its own: what it reads must not keep an agent from seeing a failure.
 * @param output null: the command's own words are enough.
 */
async function restoreOnceUp(
  target: Target,
  backup: string,
  output: Output | null,
): Promise<{ status: number; json: unknown }> {
  const asJson = output?.json === true;
  const args = [
    'restore',
    backup,
    target.file,
    '--state-dir',
    target.paths.root,
    ...(asJson ? ['--json'] : []),
  ];
  const child = spawn(process.execPath, [process.argv[1] as string, ...args], {
    stdio: ['ignore', asJson ? 'pipe' : 'inherit', 'inherit'],
  });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const status = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', (code) => resolve(code ?? 1));
  });
  return { status, json: text === '' ? null : JSON.parse(text) };
}

async function runAsChild(target: Target, options: RunOptions): Promise<number> {
  const tell = (message: Message) => {
    if (process.connected) process.send?.(message);
  };
  try {
    const stop = new StopSignals();
    const agent = await start(target, options, stop, (step) => tell({ step }));
    tell({ ready: agent.api.status(), notReady: agent.notReady });
    agent.deployment.events.listen(({ at, text }) => process.stderr.write(`${at} ${text}\n`));
    return await untilStopped(agent, stop, (line) => process.stderr.write(`${line}\n`), '', null);
  } catch (error) {
    tell({ failed: errorToJson(error) });
    process.stderr.write(`${errorText(error)}\n`);
    return 1;
  }
}
