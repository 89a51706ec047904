/** Ends what a deployment made for a drill may have left, however it ended. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { waitFor } from '../base/retry.ts';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // No /proc: the signal was taken, so it lives.
    return process.platform !== 'linux';
  }
}

export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/** Processes that run in a folder, or below it, as each server of a testbed does. */
function pidsIn(folder: string): number[] {
  if (process.platform !== 'linux') return pidsInByLsof(folder);
  return listPids().filter((pid) => {
    try {
      return isWithin(folder, readlinkSync(`/proc/${pid}/cwd`));
    } catch {
      return false;
    }
  });
}

function isWithin(folder: string, cwd: string): boolean {
  return cwd === folder || cwd.startsWith(`${folder}/`);
}

/** Without /proc: lsof prints `p<pid>` and `n<folder>` in turn. */
function pidsInByLsof(folder: string): number[] {
  const { stdout } = spawnSync('lsof', ['-w', '-d', 'cwd', '-Fpn'], { encoding: 'utf8' });
  const pids: number[] = [];
  let pid = 0;
  for (const line of (stdout ?? '').split('\n')) {
    if (line.startsWith('p')) pid = Number(line.slice(1));
    else if (line.startsWith('n') && isWithin(realpathSync(folder), line.slice(1))) pids.push(pid);
  }
  return pids;
}

/** Kills whatever runs in the folder, and waits until all of it is gone. */
export async function killAllOf(folder: string): Promise<void> {
  const others = () => pidsIn(folder).filter((pid) => pid !== process.pid);
  await killUntilGone(others, { what: `the processes of ${folder} to end`, withinMs: 10_000 });
}

/** Kills what is found, and waits until all of it is gone. @throws DEADLINE_PASSED */
export async function killUntilGone(
  find: () => Iterable<number>,
  { what, withinMs }: { what: string; withinMs: number },
): Promise<void> {
  const killed = new Set<number>();
  const gone = () => {
    // Again each time: what was about to be started when its parent was killed shows only now.
    for (const pid of find()) {
      killed.add(pid);
      killNow(pid);
    }
    return ![...killed].some(isAlive);
  };
  await waitFor(gone, { what, withinMs });
}

function listPids(): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
}
