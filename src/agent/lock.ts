import { open, readFile, rm } from 'node:fs/promises';
import { readFileIfThere } from '../base/atomic-file.ts';
import { errorCode } from '../base/errors.ts';
import { identify, isRunning, type ProcessIdentity } from '../process/identity.ts';
import { AlreadyRuns } from './errors.ts';

/** The agent that has this state directory, if it lives. */
export async function runningAgent(recordFile: string): Promise<ProcessIdentity | undefined> {
  const text = await readFileIfThere(recordFile);
  if (!text) return undefined;
  try {
    const identity = JSON.parse(text) as ProcessIdentity;
    return isRunning(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the state directory for this process: one agent at a time. A record left by a dead agent is replaced.
 * @returns what gives it back.
 * @throws ALREADY_RUNS
 */
export async function takeLock(recordFile: string): Promise<() => Promise<void>> {
  const mine = `${JSON.stringify(identify(process.pid))}\n`;
  for (;;) {
    try {
      const handle = await open(recordFile, 'wx', 0o600);
      await handle.writeFile(mine);
      await handle.close();
      break;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const other = await runningAgent(recordFile);
    if (other) {
      throw AlreadyRuns(`an agent already runs this deployment (pid ${other.pid})`, {
        hint: 'holdfast status shows it, holdfast down stops it.',
      });
    }
    await rm(recordFile, { force: true });
  }
  return async () => {
    if ((await readFile(recordFile, 'utf8').catch(() => '')) === mine) await rm(recordFile, { force: true });
  };
}
