/** An agent in a process of its own, which goes on when this command has ended. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Status } from '../agent/api/status-answer.ts';
import { StartFailed } from '../agent/errors.ts';
import { checkStateDir } from '../agent/preflight.ts';
import { runsFromBefore } from '../agent/units/runs-from-before.ts';
import { errorFromJson } from '../base/error-wire.ts';
import type { Output } from './output.ts';
import type { Target } from './target.ts';
import { announce, detachedMark, type Message, type RunOptions, restoreOnceUp } from './up-shared.ts';

export async function runDetached(output: Output, target: Target, options: RunOptions): Promise<number> {
  const { ready, notReady } = await startDetached(output, target, options);
  if (options.restore === null) {
    output.data(ready);
    return notReady === null ? 0 : 3;
  }
  const { status, json } = await restoreOnceUp(target, options.restore, output);
  output.data({ ...ready, restore: json });
  if (status !== 0) output.note(`${target.spec.name} runs on without it.`);
  return status;
}

/** Runs `up` in a session of its own, and hears from it until it is ready. */
export async function startDetached(
  output: Output,
  target: Target,
  options: Pick<RunOptions, 'host' | 'readyWithinMs'>,
): Promise<{ ready: Status; notReady: string | null }> {
  const began = performance.now();
  const { spec, paths } = target;
  await checkStateDir(paths.root, () => runsFromBefore(spec, options.host, paths));
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
  const letGo = () => {
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
  };
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
    // Nor is one that failed, and may take a while to end, waited for.
  ).finally(letGo);
  announce(output, target.spec, options.host, performance.now() - began, notReady);
  output.line(`  agent            pid ${child.pid}, log ${target.paths.agentLog}`);
  return { ready, notReady };
}
