/**
 * One apply at a time. Each host holds the lock for as long as the command that took it lives: a process there has it
 * (flock), and ends when its input does, or when no sign of life has come for a minute, as of a laptop that sleeps. So
 * nothing is left behind by an apply that was killed.
 */
import type { ChildProcess } from 'node:child_process';
import os from 'node:os';
import { shown } from '../../base/shown.ts';
import type { Spec } from '../../spec/spec.ts';
import { ApplyUnderWay } from '../errors.ts';
import { shellWord } from '../shell.ts';
import type { SshHost } from '../ssh/connections.ts';
import { sshFailed } from '../ssh/ssh-failure.ts';

const signOfLifeMs = 10_000;
const takenStatus = 75;
const answersWithinMs = 30_000;

/** @returns what gives the locks back. @throws APPLY_UNDER_WAY with who has one */
export async function takeLocks(spec: Spec, hosts: readonly SshHost[]): Promise<() => void> {
  const held: ChildProcess[] = [];
  const release = () => {
    clearInterval(timer);
    for (const child of held) child.stdin?.end();
  };
  const timer = setInterval(() => {
    for (const child of held) child.stdin?.write('.\n');
  }, signOfLifeMs);
  try {
    // Of two that begin at once one gets the first host, and so all.
    const [first, ...others] = hosts;
    if (first !== undefined) held.push(await takeLock(spec, first));
    held.push(...(await Promise.all(others.map((host) => takeLock(spec, host)))));
    return release;
  } catch (error) {
    release();
    throw error;
  }
}

async function takeLock({ name }: Spec, host: SshHost): Promise<ChildProcess> {
  const file = `/run/holdfast-${name}.apply`;
  const who = `${os.userInfo().username} on ${os.hostname()}, pid ${process.pid}, since ${new Date().toISOString()}`;
  const script = `umask 077
exec 9>>${file}
if ! flock -n 9; then cat ${file}; exit ${takenStatus}; fi
printf '%s\\n' ${shellWord(who)} > ${file}
echo taken
while [ -n "$(timeout 60 head -n 1)" ]; do :; done`;
  const child = host.start(script, 'root');
  child.stdin?.on('error', () => {});
  const { said, stderr, status } = await firstWord(child);
  if (said.trim() === 'taken') return child;
  child.stdin?.end();
  if (status !== takenStatus) throw host.failure('taking its lock', { status: status ?? sshFailed, stderr });
  throw ApplyUnderWay(`host ${host.id} is being changed by another apply: ${shown(said.trim())}`, {
    hint: 'Wait for its end. One that was killed, or whose machine sleeps, holds it for a minute at most.',
  });
}

/** What the host says first: that the lock is taken, or, at the end of the process, who has it. */
function firstWord(child: ChildProcess): Promise<{ said: string; stderr: string; status: number | null }> {
  return new Promise((resolve, reject) => {
    const heard = { said: '', stderr: '' };
    const timer = setTimeout(() => child.kill('SIGKILL'), answersWithinMs);
    const done = (status: number | null) => {
      clearTimeout(timer);
      resolve({ said: heard.said.slice(0, 300), stderr: heard.stderr.slice(0, 4000), status });
    };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      heard.stderr += text;
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      heard.said += text;
      if (heard.said === 'taken\n') done(0);
    });
    child.once('error', reject);
    child.once('close', done);
  });
}
