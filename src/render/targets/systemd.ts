import { fileURLToPath } from 'node:url';
import type { Host, Spec } from '../../spec/spec.ts';
import { openFilesFor } from '../host-settings.ts';
import { commonArguments, hostsOf, installedState, program } from '../installed.ts';
import type { Target } from '../target.ts';

/**
 * A unit for the agent of each host. Stopping it stops what the host runs, as `holdfast down` does; killing the agent
 * leaves Redis alone (`KillMode=process`), and the agent that systemd starts next adopts it.
 */
export const systemdTarget: Target = {
  name: 'systemd',
  summary: 'a unit for the agent of each host, and its user',
  render(input) {
    const { spec } = input;
    return hostsOf(input).flatMap(({ host, prefix }) => [
      { name: `${prefix}system/holdfast-${spec.name}.service`, text: unit(spec, host), secret: false },
      { name: `${prefix}sysusers.d/holdfast.conf`, text: userText(spec), secret: false },
    ]);
  },
};

function unit(spec: Spec, host: Host): string {
  return [
    `# The agent of ${spec.name} on host ${host.id}, made by holdfast. For /etc/systemd/system.`,
    '[Unit]',
    `Description=holdfast: Redis deployment ${spec.name} on ${host.id}`,
    'After=network-online.target time-sync.target holdfast-hugepages.service',
    'Wants=network-online.target holdfast-hugepages.service',
    '# Try for ever: the other hosts may come up much later.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `User=${spec.runAs}`,
    `Group=${spec.runAs}`,
    `ExecStart=${[program, 'up', ...commonArguments(spec), '--host', host.id, '--wait', '15m'].map(unitWord).join(' ')}`,
    '# Passwords that the spec takes from the environment, and credentials of the backups (AWS_…). Mode 0600.',
    `EnvironmentFile=-${environmentFile(spec)}`,
    '# A new version of holdfast: the agent ends alone, by that signal. systemd starts it again, and it adopts what runs.',
    'ExecReload=/bin/kill -USR2 $MAINPID',
    'RestartForceExitStatus=SIGUSR2',
    'SuccessExitStatus=SIGUSR2',
    'Restart=on-failure',
    'RestartSec=1',
    '# Only the agent gets signals: on SIGTERM it stops replicas first, and each server saves its data. If the agent is',
    '# killed, Redis, Sentinels and gates go on.',
    'KillMode=process',
    'TimeoutStopSec=10min',
    `LimitNOFILE=${openFilesFor(spec)}`,
    'LimitCORE=0',
    '# When memory runs out, the kernel should take something else than the data.',
    'OOMScoreAdjust=-500',
    `StateDirectory=holdfast holdfast/${spec.name}`,
    'StateDirectoryMode=0700',
    'UMask=0077',
    'Environment=NO_COLOR=1',
    '',
    ...hardening(spec),
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

function environmentFile({ name }: Spec): string {
  return `/etc/holdfast/${name}.env`;
}

function hardening(spec: Spec): string[] {
  const store = spec.backup?.to.startsWith('file://') ? [fileURLToPath(spec.backup.to)] : [];
  return hardeningOf([installedState(spec), ...store]);
}

/** @param writable what it writes to */
export function hardeningOf(writable: string[]): string[] {
  return [
    '# What it needs: what it writes to, the network, and to signal its own children. MemoryDenyWriteExecute is missing because',
    '# Node.js compiles at run time.',
    'ProtectSystem=strict',
    ...(writable.length === 0 ? [] : [`ReadWritePaths=${writable.map(unitWord).join(' ')}`]),
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectProc=invisible',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'AmbientCapabilities=',
    'LockPersonality=yes',
    'PrivateUsers=yes',
    'RemoveIPC=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged',
    'SystemCallErrorNumber=EPERM',
  ];
}

function userText({ runAs }: Spec): string {
  return [
    '# The user that holdfast runs as. For /etc/sysusers.d.',
    `u ${runAs} - "holdfast" /var/lib/holdfast`,
    '',
  ].join('\n');
}

/** A word of a unit file: percent signs are specifiers, dollars are variables (systemd.service(5), systemd.unit(5)). */
function unitWord(text: string): string {
  const plain = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(plain)
    ? plain
    : `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
