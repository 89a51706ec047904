import type { Spec } from '../spec/spec.ts';

/**
 * Settings of the machine itself, each with the reason. `render sysctl` writes them to files, and the doctor compares
 * and fixes by the same list. Sources: Redis's own warnings at start (src/syscheck.c, src/server.c of Redis 7.0) and
 * "Redis administration" in its documentation.
 */
export interface KernelSetting {
  /** As sysctl names it. */
  name: string;
  value: number;
  /** True: more than `value` is as good. */
  atLeast: boolean;
  why: string;
}

/** What redis.conf asks for as `tcp-backlog`, and the kernel cuts down to somaxconn. */
export const tcpBacklog = 511;

export const kernelSettings: readonly KernelSetting[] = [
  {
    name: 'vm.overcommit_memory',
    value: 1,
    atLeast: false,
    why: 'Saving forks the server: without overcommit the fork fails when less than half of the memory is free.',
  },
  {
    name: 'vm.swappiness',
    value: 1,
    atLeast: false,
    why: 'A page of Redis that was swapped out stalls every client until it is back.',
  },
  {
    name: 'net.core.somaxconn',
    value: 4096,
    atLeast: true,
    why: 'Connections that arrive together, as after a failover, are dropped beyond this number.',
  },
  {
    name: 'net.ipv4.tcp_max_syn_backlog',
    value: 4096,
    atLeast: true,
    why: 'Connections that are not yet open on both sides are dropped beyond this number when many clients come at once.',
  },
];

export const hugePagesFile = '/sys/kernel/mm/transparent_hugepage/enabled';
export const hugePagesWhy =
  'While a save runs, each first write to a huge page copies 2 MiB: latency jumps and memory doubles.';

/** Open files that the user of holdfast needs: the gate two per client, Redis one, and a few of their own. */
export function openFilesFor(spec: Spec): number {
  const wanted = 2 * spec.gate.limits.maxClients + 10_000 + 1024;
  return Math.max(65_536, 2 ** Math.ceil(Math.log2(wanted)));
}

export function sysctlText(settings: readonly KernelSetting[] = kernelSettings): string {
  const lines = settings.flatMap(({ name, value, why }) => [`# ${why}`, `${name} = ${value}`, '']);
  return ['# For Redis, made by holdfast. sysctl --system loads it.', ...lines].join('\n');
}

export function limitsText(user: string, openFiles: number): string {
  return [
    '# For Redis, made by holdfast. Each client connection is an open file. (Units of systemd have LimitNOFILE instead.)',
    `${user} soft nofile ${openFiles}`,
    `${user} hard nofile ${openFiles}`,
    '',
  ].join('\n');
}

/** A unit that switches transparent huge pages to madvise before anything of holdfast starts. */
export function hugePagesUnit(): string {
  return [
    '# Made by holdfast. Transparent huge pages have no sysctl: this sets them at each boot.',
    `# ${hugePagesWhy}`,
    '[Unit]',
    'Description=Transparent huge pages only on request, for Redis',
    'DefaultDependencies=no',
    'After=sysinit.target local-fs.target',
    'Before=basic.target',
    `ConditionPathExists=${hugePagesFile}`,
    '# A container can’t set what is its host’s.',
    `ConditionPathIsReadWrite=${hugePagesFile}`,
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    `ExecStart=/bin/sh -c 'echo madvise > ${hugePagesFile}'`,
    '',
    '[Install]',
    'WantedBy=basic.target',
    '',
  ].join('\n');
}
