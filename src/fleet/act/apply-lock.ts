/**
 * One apply at a time. Each host holds the lock for as long as the command that took it lives: a process there has it
 * (flock), and ends when its input does, or when no sign of life has come for a minute, as of a laptop that sleeps. So
 * nothing is left behind by an apply that was killed. Two rules keep what such a one had begun apart from what comes after:
 *
 * - A command runs on a host only while the lock's file names its sender (the fence of ssh/ssh-command.ts). A laptop that
 *   wakes up has lost the locks, and does nothing more.
 * - A command goes on when its connection is gone. Each holds a second lock, shared, until it ends; who takes the first
 *   waits until nobody has the second.
 */
import type { ChildProcess } from 'node:child_process';
import os from 'node:os';
import { shown } from '../../base/shown.ts';
import type { Spec } from '../../spec/spec.ts';
import { ApplyUnderWay } from '../errors.ts';
import { shellWord } from '../shell.ts';
import type { Lease, SshHost } from '../ssh/connections.ts';
import type { Fence } from '../ssh/ssh-command.ts';
import { lockLost, sshFailed } from '../ssh/ssh-failure.ts';

const signOfLifeMs = 10_000;
const takenStatus = 75;
const answersWithinMs = 30_000;
/** Installing packages is what may take longest. */
const workEndsWithinMs = 15 * 60_000;

type Report = (line: string) => void;

export class ApplyLock implements Lease {
  readonly fence: Fence;
  readonly #held = new Map<string, ChildProcess>();
  readonly #timer: NodeJS.Timeout;
  #released = false;
  #lost: string | null = null;

  constructor({ name }: Spec) {
    const [user, machine] = [os.userInfo().username, os.hostname()];
    const holder = `${user} on ${machine}, pid ${process.pid}, since ${new Date().toISOString()}`;
    this.fence = { lockFile: `/run/holdfast-${name}.apply`, workFile: `/run/holdfast-${name}.work`, holder };
    this.#timer = setInterval(() => {
      for (const child of this.#held.values()) child.stdin?.write('.\n');
    }, signOfLifeMs);
  }

  /** @throws APPLY_UNDER_WAY with who has one of them; then none is held */
  async take(hosts: readonly SshHost[], report: Report): Promise<void> {
    // Of two that begin at once one gets the first host, and so all.
    const [first, ...others] = hosts.filter(({ id }) => !this.#held.has(id));
    if (first !== undefined) await this.#take(first, report);
    const all = others.map((host) => this.#take(host, report));
    await Promise.allSettled(all);
    await Promise.all(all);
  }

  check(): void {
    if (this.#lost !== null) throw lockLost(this.#lost);
  }

  release(): void {
    this.#released = true;
    clearInterval(this.#timer);
    for (const child of this.#held.values()) child.stdin?.end();
  }

  async #take(host: SshHost, report: Report): Promise<void> {
    const child = await takeLock(this.fence, host, report);
    this.#held.set(host.id, child);
    child.once('close', () => {
      if (!this.#released) this.#lost ??= host.id;
    });
  }
}

async function takeLock(fence: Fence, host: SshHost, report: Report): Promise<ChildProcess> {
  const child = host.start(lockScript(fence), 'root');
  child.stdin?.on('error', () => {});
  const onWait = () => report(`${host.id}: waits for the end of what an apply that was cut off does there`);
  const { said, stderr, status } = await firstWord(child, onWait);
  if (said.endsWith('taken\n')) return child;
  child.stdin?.end();
  if (status !== takenStatus) throw host.failure('taking its lock', { status: status ?? sshFailed, stderr });
  throw ApplyUnderWay(`host ${host.id} is being changed by another apply: ${shown(said.trim())}`, {
    hint: 'Wait for its end. One that was killed, or whose machine sleeps, holds it for a minute at most.',
  });
}

export function lockScript({ lockFile, workFile, holder }: Fence): string {
  return `umask 022
exec 9>>${lockFile}
if ! flock -n 9; then cat ${lockFile}; exit ${takenStatus}; fi
printf '%s\n' ${shellWord(holder)} > ${lockFile}
: >> ${workFile}
flock -n -x ${workFile} true || until flock -w 2 -x ${workFile} true; do echo waiting; done
printf '%s\\n' ${shellWord(holder)} > ${lockFile}
echo taken
while [ -n "$(timeout 60 head -n 1)" ]; do :; done
: > ${lockFile}`;
}

/** What the host says first: that the lock is taken, or, at the end of the process, who has it. */
function firstWord(
  child: ChildProcess,
  onWait: () => void,
): Promise<{ said: string; stderr: string; status: number | null }> {
  return new Promise((resolve, reject) => {
    const heard = { said: '', stderr: '' };
    const kill = () => child.kill('SIGKILL');
    let timer = setTimeout(kill, answersWithinMs);
    const done = (status: number | null) => {
      clearTimeout(timer);
      resolve({ said: heard.said.slice(-300), stderr: heard.stderr.slice(0, 4000), status });
    };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      heard.stderr += text;
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (heard.said === '' && text.startsWith('waiting\n')) {
        clearTimeout(timer);
        timer = setTimeout(kill, workEndsWithinMs);
        onWait();
      }
      heard.said += text;
      if (heard.said.endsWith('taken\n')) done(0);
    });
    child.once('error', reject);
    child.once('close', done);
  });
}
