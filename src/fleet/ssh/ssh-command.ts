/**
 * How the system's OpenSSH is called. The user's own configuration holds (names, ports, keys, agent, jump hosts,
 * known_hosts); what is set here goes before it, as ssh takes the first value that it finds:
 *
 * - BatchMode: nothing is asked, because nobody may be there to answer.
 * - StrictHostKeyChecking=yes: a host whose key is not in known_hosts is refused, never added.
 * - ControlMaster: one connection for each host, which the next command shares, and which ends by itself.
 * - ServerAlive: a host that is gone, or a laptop that slept, ends the connection after 15 s.
 */
import { shellLine, shellWord } from '../shell.ts';

/** Who the command runs as: whoever ssh logs in as, root, or the user that holdfast runs as (`runAs` in the spec). */
export type RunAs = 'login' | 'root' | 'holdfast';

export interface SshCall {
  /** As `hosts.NAME.ssh` has it. */
  target: string;
  /** The folder of the shared connections. */
  controlFolder: string;
  /** Has a terminal on the host, so that Ctrl-C reaches the command there. */
  terminal?: boolean;
}

const options = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'ConnectTimeout=10',
  'ServerAliveInterval=5',
  'ServerAliveCountMax=3',
  'ControlMaster=auto',
  'ControlPersist=20',
  'LogLevel=ERROR',
] as const;

/** The arguments of `ssh` that run this command line on the host. */
export function sshArguments(
  { target, controlFolder, terminal = false }: SshCall,
  command: string,
): string[] {
  const all = [...options, `ControlPath=${controlFolder}/%C`].flatMap((each) => ['-o', each]);
  return [...all, terminal ? '-t' : '-T', '--', target, command];
}

/** What a host says when it needs sudo and has none. */
export const noSudoMark = 'holdfast: no sudo';
/** What it says when another has the lock that the command needs, or nobody. */
export const lockLostMark = 'holdfast: the lock is lost';

/** What lets a command run on a host only while its sender has the lock there (act/apply-lock.ts). */
export interface Fence {
  /** Says who has the lock. */
  lockFile: string;
  holder: string;
  /** Held by each command until it ends, which may be later than its sender does. */
  workFile: string;
}

/**
 * A command line for the login shell of any user. As root when the user is root, else by sudo without a password.
 * @param script for a POSIX shell; no secrets, which others on the host could see.
 * @param user that holdfast runs as
 */
export function commandAs(as: RunAs, script: string, user: string, fence: Fence | null = null): string {
  const plain = shellLine(['sh', '-c', script]);
  if (as === 'login') return plain;
  const [check, hold] = fence === null ? [[], ''] : [[checkLine(fence)], holdWords(fence)];
  const [asRoot, sudo] =
    as === 'root'
      ? [plain, `sudo -n -- ${plain}`]
      : [`runuser -u ${user} -- ${plain}`, `sudo -n -u ${user} -- ${plain}`];
  const choose = [
    ...check,
    `if [ "$(id -u)" = 0 ]; then exec ${hold}${asRoot}; fi`,
    `if ! command -v sudo >/dev/null; then echo '${noSudoMark}' >&2; exit 1; fi`,
    `exec ${hold}${sudo}`,
  ];
  return shellLine(['sh', '-c', choose.join('\n')]);
}

function checkLine({ lockFile, holder }: Fence): string {
  return `if [ "$(cat ${lockFile} 2>/dev/null)" != ${shellWord(holder)} ]; then echo '${lockLostMark}' >&2; exit 1; fi`;
}

/** What it starts and leaves running does not have it (-o). */
function holdWords({ workFile }: Fence): string {
  return `flock -s -o ${workFile} `;
}
