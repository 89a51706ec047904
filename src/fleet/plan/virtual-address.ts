/**
 * The virtual address of the gates on the hosts (`gate.virtualAddress`): a keepalived of its own for each deployment, with a
 * configuration, a unit and a pid file of its own, so that another one of the machine's is left alone. What it was last
 * told lies beside its pid: the difference to what it should be told is what is to be done. Pure.
 */
import { keepalivedConf } from '../../render/keepalived-conf.ts';
import type { Spec } from '../../spec/spec.ts';
import { FleetRefused } from '../errors.ts';

export interface AddressFiles {
  /** What it should be told. */
  conf: string;
  /** What it was told: gone when the machine starts anew. */
  told: string;
  pid: string;
  vrrpPid: string;
  unit: string;
}

export function addressFiles({ name }: Spec): AddressFiles {
  const run = `/run/holdfast-${name}-keepalived`;
  return {
    conf: `/etc/holdfast/${name}.keepalived.conf`,
    told: `${run}.conf`,
    pid: `${run}.pid`,
    vrrpPid: `${run}-vrrp.pid`,
    unit: `holdfast-${name}-address.service`,
  };
}

/** What a host tells of itself. */
export interface AddressHost {
  host: string;
  systemd: boolean;
  /** The interface that has its address; null when none has. */
  device: string | null;
}

/**
 * @param spec as the hosts have it
 * @returns path and text of each file; none where the host has no such address
 * @throws FLEET_REFUSED
 */
export function addressTexts(spec: Spec, { host, systemd, device }: AddressHost): [string, string][] {
  const { virtualAddress } = spec.gate;
  const gate = spec.gates.find((each) => each.host === host);
  if (virtualAddress === null || gate === undefined) return [];
  const on = virtualAddress.device ?? device;
  if (on === null) {
    throw FleetRefused(`host ${host} has no network interface with the address ${gate.address}`, {
      hint: 'Say which one gets the virtual address: gate: { virtualAddress: { address: …, interface: … } }.',
    });
  }
  const { address, router } = virtualAddress;
  const files = addressFiles(spec);
  const conf = keepalivedConf({ spec, gate, addresses: [address], device: on, router });
  return [
    [files.conf, conf],
    ...(systemd ? [[`/etc/systemd/system/${files.unit}`, unitText(spec)] as [string, string]] : []),
  ];
}

/** The words of its command line, without the program. What was told is for us: SELinux has keepalived read nothing in /run. */
export function keepalivedWords({ conf, pid, vrrpPid }: AddressFiles): string {
  return `--vrrp --use-file ${conf} --pid ${pid} --vrrp_pid ${vrrpPid}`;
}

function unitText(spec: Spec): string {
  const files = addressFiles(spec);
  return [
    `# The virtual address of ${spec.name}, made by holdfast.`,
    '[Unit]',
    `Description=holdfast: virtual address of ${spec.name}`,
    'After=network-online.target',
    'Wants=network-online.target',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `ExecStartPre=/bin/cp ${files.conf} ${files.told}`,
    `ExecStart=/usr/sbin/keepalived --dont-fork ${keepalivedWords(files)}`,
    `ExecReload=/bin/cp ${files.conf} ${files.told}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    'KillMode=mixed',
    'Restart=always',
    'RestartSec=1',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

export interface AddressStep {
  host: string;
  /** `give-up`: the host has no gate any more, or the spec no such address. */
  does: 'take-up' | 'give-up';
  /** SELinux there has to be told that keepalived may connect to the gate. */
  frees: boolean;
}

export interface AddressThere {
  host: string;
  /** Digest of what keepalived should be told; null for no address. */
  wanted: string | null;
  /** Digest of what one that runs was told. */
  told: string | null;
  /** SELinux has it connect to the ports of a few services only. */
  isHeld: boolean;
}

export function addressSteps(hosts: readonly AddressThere[]): AddressStep[] {
  return hosts.flatMap(({ host, wanted, told, isHeld }): AddressStep[] => {
    const frees = isHeld && wanted !== null;
    if (wanted === told && !frees) return [];
    return [{ host, does: wanted === null ? 'give-up' : 'take-up', frees }];
  });
}

export function describeAddress({ host, does, frees }: AddressStep): string {
  const selinux = frees ? ', and SELinux lets it ask the gate (setsebool -P keepalived_connect_any on)' : '';
  const what = does === 'take-up' ? 'keepalived is told of' : 'keepalived is stopped for';
  return `host ${host}: ${what} the virtual address${selinux}`;
}
