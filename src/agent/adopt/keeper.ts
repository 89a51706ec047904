/**
 * What keeps a process running besides us: systemd, or a supervisor that is its parent. Started again by that, a server
 * would take the port from the one that holdfast starts, with another configuration.
 * Source: cgroups(7) for /proc/PID/cgroup, in which systemd has a group for each unit; systemd.unit(5) for masked units.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

export interface Keeper {
  /** `systemd, as redis-server.service`, `supervisord (pid 12)`. */
  what: string;
  /** How it is told to let go, as a sentence. */
  letGo: string;
}

export interface KeeperFacts {
  /** Text of /proc/PID/cgroup, and of ours: what both have started is nobody's service. */
  cgroup: string;
  ownCgroup: string;
  parent: { pid: number; name: string };
}

/** Who starts a server by hand, and what is left as a parent when that one is gone. */
const notKeepers = new Set([
  ...[
    'sh',
    'bash',
    'zsh',
    'dash',
    'ash',
    'ksh',
    'fish',
    'tmux: server',
    'screen',
    'login',
    'su',
    'sudo',
    'sshd',
  ],
  ...['systemd', 'init', 'tini', 'dumb-init', 'docker-init', 'catatonit'],
]);

/** Pure. A parent that is process 1 adopts whoever has lost its own. */
export function keeperIn({ cgroup, ownCgroup, parent }: KeeperFacts): (Keeper & { unit?: Unit }) | null {
  const unit = unitIn(cgroup);
  if (unit !== null && unit.name !== unitIn(ownCgroup)?.name) {
    const user = unit.ofUser ? ' --user' : '';
    return {
      what: `systemd, as ${unit.name}`,
      letGo: `systemctl${user} mask ${unit.name} (it goes on running; a unit whose file lies in /etc/systemd/system is moved away first, and systemctl${user} daemon-reload said)`,
      unit,
    };
  }
  if (parent.pid <= 1 || notKeepers.has(parent.name)) return null;
  return {
    what: `${parent.name} (pid ${parent.pid}), which started it`,
    letGo: 'have it let go of the server without stopping it, and say --supervisor-off',
  };
}

interface Unit {
  name: string;
  ofUser: boolean;
}

/** The innermost service of the path: `0::/system.slice/redis-server.service`. */
function unitIn(cgroup: string): Unit | null {
  const paths = cgroup.split('\n').map((line) => line.split(':').slice(2).join(':'));
  for (const path of paths) {
    const services = path.split('/').filter((part) => part.endsWith('.service'));
    const name = services.filter((part) => !/^user@\d+\.service$/.test(part)).at(-1);
    if (name !== undefined) return { name, ofUser: services.some((part) => part.startsWith('user@')) };
  }
  return null;
}

/** Of a process of this machine; null for one that nothing keeps, or that was told to let go. */
export async function findKeeper(pid: number): Promise<Keeper | null> {
  const status = textOf(`/proc/${pid}/status`);
  const parentPid = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  const found = keeperIn({
    cgroup: textOf(`/proc/${pid}/cgroup`),
    ownCgroup: textOf('/proc/self/cgroup'),
    parent: { pid: parentPid, name: textOf(`/proc/${parentPid}/comm`).trim() },
  });
  if (found?.unit === undefined) return found;
  return (await isLetGo(found.unit)) ? null : { what: found.what, letGo: found.letGo };
}

/** Pure: whether systemd would leave it alone, from what `systemctl show` says. */
export function wouldRest(shown: string): boolean {
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(shown)?.[1] ?? '';
  if (value('LoadState') === 'masked' || value('UnitFileState').startsWith('masked')) return true;
  return value('Restart') === 'no' && value('UnitFileState') === 'disabled';
}

async function isLetGo({ name, ofUser }: Unit): Promise<boolean> {
  const args = [...(ofUser ? ['--user'] : []), 'show', name, '--property=LoadState,UnitFileState,Restart'];
  try {
    const { stdout } = await promisify(execFile)('systemctl', args, { timeout: 5000 });
    return wouldRest(stdout);
  } catch {
    // Nobody can say: then it counts as one that starts it again.
    return false;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
