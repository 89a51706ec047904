/** An agent in this process, until it is told to stop. */
import { type RunningAgent, startAgent } from '../agent/run-agent.ts';
import type { ServerProgram } from '../agent/server-program.ts';
import { errorToJson } from '../base/error-wire.ts';
import { errorText } from '../base/errors.ts';
import { outliveOutput } from '../base/outlive-output.ts';
import type { Output } from './output.ts';
import { StopSignals } from './stop-signals.ts';
import type { Target } from './target.ts';
import { announce, detachedMark, type Message, type RunOptions, restoreOnceUp } from './up-shared.ts';

/** An agent that is run here. */
interface AgentRun extends RunOptions {
  server: Promise<ServerProgram>;
}

export async function runForeground(output: Output, target: Target, options: AgentRun): Promise<number> {
  outliveOutput();
  if (process.env[detachedMark]) return runAsChild(output, target, options);
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
  { file, spec, paths }: Target,
  { host, readyWithinMs, server }: AgentRun,
  { signal }: StopSignals,
  report: (step: string) => void,
) {
  const stateDir = paths.root;
  return startAgent({ spec, specFile: file, host, stateDir, server, report, readyWithinMs, signal });
}

async function runAsChild(output: Output, target: Target, options: AgentRun): Promise<number> {
  const tell = (message: Message) => {
    if (process.connected) process.send?.(message);
  };
  try {
    const stop = new StopSignals();
    const agent = await start(target, options, stop, (step) => tell({ step }));
    tell({ ready: agent.api.status(), notReady: agent.notReady });
    agent.deployment.events.listen(({ at, text }) => output.note(`${at} ${text}`));
    return await untilStopped(agent, stop, (line) => output.note(line), '', null);
  } catch (error) {
    output.note(errorText(error));
    const failed: Message = { failed: errorToJson(error) };
    await new Promise((resolve) =>
      process.connected && process.send ? process.send(failed, resolve) : resolve(null),
    );
    // What a start that failed has left open keeps no process alive that nobody watches.
    process.exit(1);
  }
}
