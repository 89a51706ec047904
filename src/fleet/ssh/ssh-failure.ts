/** Tells from what ssh, sudo and the command wrote why a command on a host failed. */
import type { HoldfastError } from '../../base/errors.ts';
import {
  ApplyLockLost,
  HostDiskFull,
  HostKeyChanged,
  HostKeyUnknown,
  HostUnreachable,
  NoSudo,
  RemoteFailed,
  SshLoginRefused,
} from '../errors.ts';
import { shellWord } from '../shell.ts';
import { lockLostMark, noSudoMark } from './ssh-command.ts';

export interface Failure {
  /** The id of the host in the spec, and how ssh reaches it. */
  host: string;
  target: string;
  /** What was being done, to complete "host a: …". */
  doing: string;
  /** The exit status; null when a signal ended ssh. */
  status: number | null;
  stderr: string;
}

/** OpenSSH's own failures; commands on hosts end with others. */
export const sshFailed = 255;

export function sshFailure(failure: Failure): HoldfastError {
  const { host, target, doing, status, stderr } = failure;
  const where = `host ${host} (${target})`;
  const said = lastWords(stderr);
  if (status === sshFailed || status === null) return connectionFailure(where, failure, said);
  if (stderr.includes(lockLostMark)) return lockLost(host);
  if (stderr.includes(noSudoMark) || /^sudo: /m.test(stderr)) {
    const why = stderr.includes(noSudoMark) ? 'sudo is not installed there' : said;
    return NoSudo(`${where}: the user that ssh logs in as is not root, and can't become root: ${why}`, {
      hint: 'Let ssh log in as root, or let that user run every command by sudo without a password: a line `USER ALL=(ALL) NOPASSWD: ALL` in /etc/sudoers.d/holdfast.',
    });
  }
  if (isDiskFull(stderr)) {
    return HostDiskFull(`${where}: a disk is full: ${doing} failed: ${said}`, {
      hint: 'df -h there shows which. Make room, and run the command again: it goes on where it stopped.',
    });
  }
  return RemoteFailed(`${where}: ${doing} failed with status ${status}${said === '' ? '' : `: ${said}`}`);
}

export function isDiskFull(stderr: string): boolean {
  return /no space left on device|disk quota exceeded/i.test(stderr);
}

/** Whoever had it stops there. */
export function lockLost(host: string): HoldfastError {
  return ApplyLockLost(
    `the lock on host ${host} is not ours any more: the connection to it broke, or this machine slept`,
    {
      hint: 'Nothing more was done, because another apply may have begun. Run the command again: it goes on where it stopped.',
    },
  );
}

function connectionFailure(where: string, { target, host, stderr }: Failure, said: string): HoldfastError {
  const word = shellWord(target);
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(stderr)) {
    return HostKeyChanged(`${where}: its host key is another one than known_hosts has`, {
      hint: `If the machine was made anew, check its key on its own console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then ssh-keygen -R NAME and ssh ${word}. Otherwise somebody stands between.`,
    });
  }
  if (/host key is known for|Host key verification failed/i.test(stderr)) {
    return HostKeyUnknown(`${where}: its host key is not in known_hosts, and is not accepted unseen`, {
      hint: `Connect once by hand: ssh ${word}. Compare the fingerprint that it shows with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on its console), and answer yes.`,
    });
  }
  if (/Permission denied|Too many authentication failures/i.test(stderr)) {
    return SshLoginRefused(`${where}: it takes none of your ssh keys: ${said}`, {
      hint: `ssh ${word} must work without a password: ssh-add -l lists what the agent holds; ssh-copy-id ${word} brings a key there; hosts.${host}.ssh in the spec says as whom.`,
    });
  }
  return HostUnreachable(`${where} can't be reached: ${said === '' ? 'ssh ended without a word' : said}`, {
    hint: `Try ssh ${word}. When it works, run the command again: it goes on where it stopped.`,
  });
}

/** The last lines that say something, on one line, bounded. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  return lines.slice(-4).join('; ').slice(-600);
}
