/** Why the agent of this host does not answer, and what to do, in errors. */
import { existsSync } from 'node:fs';
import { errorCode, type HoldfastError } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import { readStat } from '../../process/stat.ts';
import { AgentNotListening, AgentSilent, NotRunning } from '../errors.ts';
import type { StatePaths } from '../state/paths.ts';
import { runningAgent } from '../state/state-lock.ts';

export type AgentPlace = Pick<StatePaths, 'agentSocket' | 'agentRecord'>;

/**
 * It ended, by a crash or a signal, in the middle of something.
 * @param before what it did not get to: "it had answered". @param known the last step that it told of, null without one
 */
export function agentEnded(
  before: string,
  known: { step?: string | null; cause?: unknown } = {},
): HoldfastError {
  const { step, cause } = known;
  const told =
    step === undefined
      ? ''
      : step === null
        ? '; it had told of no step yet, so whether it began is not known'
        : `; its last step was: ${step}`;
  const hint =
    step === undefined
      ? 'holdfast up starts it again; then ask again.'
      : 'What was done until then is done. holdfast up starts the agent again, holdfast status and holdfast events show what became of it; then the command can be run again.';
  return NotRunning(`the agent ended before ${before}${told}`, { hint, cause });
}

/** It runs and says nothing. The servers and gates are processes of their own, and go on. */
export async function agentSilent(recordFile: string, ms: number | undefined): Promise<HoldfastError> {
  const found = await runningAgent(recordFile).catch(() => undefined);
  const who = found === undefined ? 'the agent' : `the agent (pid ${found.pid})`;
  const pid = found === undefined ? 'PID' : String(found.pid);
  const state = found === undefined ? undefined : readStat(found.pid)?.state;
  const waited = ms === undefined ? '' : ` within ${ms / 1000} s`;
  const end = `end it with kill -9 ${pid}: then holdfast up starts it again, or holdfast down stops what it leaves running. Servers and gates go on meanwhile.`;
  if (state === 'T' || state === 't') {
    return AgentSilent(`${who} does not answer${waited}: it is stopped by a signal`, {
      hint: `Nothing was asked of it. Let it go on with kill -CONT ${pid}, or ${end}`,
    });
  }
  return AgentSilent(`${who} does not answer${waited}`, {
    hint: `Nothing was asked of it. See whether this machine is overloaded or waits for a disk, and try again; or ${end}`,
  });
}

/** Nobody listens there: nothing of what was asked was heard. */
export function isNotHeard(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(errorCode(error) ?? '');
}

/** An agent makes its socket anew within a second, and a moment after its socket it is gone itself. */
const listensWithinMs = 2500;
const lookEveryMs = 50;

/** Waits as long as an agent runs whose socket is not there. @returns whether somebody may listen again. */
export async function listensAgain({ agentSocket, agentRecord }: AgentPlace): Promise<boolean> {
  const until = performance.now() + listensWithinMs;
  const runs = () =>
    runningAgent(agentRecord).then(
      (found) => found !== undefined,
      () => false,
    );
  while (performance.now() < until && (await runs())) {
    if (existsSync(agentSocket)) return true;
    await pause(lookEveryMs);
  }
  return false;
}

/** There was no connection to it at all. */
export async function whyUnreachable(error: Error, { agentSocket, agentRecord }: AgentPlace): Promise<Error> {
  const code = errorCode(error);
  const found = isNotHeard(error) ? await runningAgent(agentRecord).catch(() => undefined) : undefined;
  if (found !== undefined) {
    const { pid } = found;
    return AgentNotListening(
      `the agent of this host (pid ${pid}) runs, and nothing listens at ${agentSocket}`,
      {
        hint: `It starts or ends, or its socket was removed, which it makes anew within a second: ask again. If that is of no use, kill -USR2 ${pid} ends it and leaves servers and gates running, and holdfast up goes on with those.`,
        cause: error,
      },
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return NotRunning('this user may not talk to the agent', {
      hint: 'Run the command as the user that runs the agent.',
      cause: error,
    });
  }
  if (code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'ENOTDIR' && code !== 'ECONNRESET')
    return error;
  return NotRunning('no agent runs this deployment on this host', {
    hint: 'holdfast up starts it. If it was started with another --state-dir, name that.',
    cause: error,
  });
}
