import { isIpv6 } from '../../spec/address.ts';
import { bindAddresses } from '../../spec/bind.ts';
import type { GatePlace, Host, Spec } from '../../spec/spec.ts';
import { TargetRefused } from '../errors.ts';
import { placesOf, type Target, type TargetInput } from '../target.ts';

/**
 * Virtual addresses for the gates: one host at a time has them, and the next takes over when that host, or its gate,
 * is gone. The read-only port may have an address of its own, so that both ports can be on one port for clients.
 */
export const keepalivedTarget: Target = {
  name: 'keepalived',
  summary: 'virtual addresses for the gates, moved by VRRP',
  options: [
    { name: 'address', about: 'virtual address of the gates, such as 10.0.1.200/24', default: undefined },
    { name: 'replicaAddress', about: 'another one, for the read-only port', default: '' },
    { name: 'interface', about: 'network interface', default: 'eth0' },
    { name: 'router', about: 'VRRP router id from 1 to 254, unlike any other on the network', default: '51' },
  ],
  render(input) {
    const { spec } = input;
    if (spec.gates.length < 2) {
      throw TargetRefused('keepalived needs gates on two hosts or more; this spec has fewer', {
        hint: 'List the hosts under gate.on.',
      });
    }
    const addresses = [input.options['address'] ?? '', input.options['replicaAddress'] ?? ''].filter(Boolean);
    checkOptions(input, addresses);
    for (const gate of spec.gates) checkListening(spec, gate, addresses);
    return placesOf(input, spec.gates).map((gate) => ({
      name: `${gate.host}/keepalived.conf`,
      text: configuration(input, gate, addresses),
      secret: false,
    }));
  },
};

function checkOptions({ options }: TargetInput, addresses: readonly string[]): void {
  const wrong = addresses.find((address) => !/^[0-9a-fA-F.:]+(\/\d+)?$/.test(address));
  if (wrong !== undefined)
    throw TargetRefused(`found '${wrong}'; a virtual address is an IP address, maybe with /bits`);
  const router = Number(options['router']);
  if (!Number.isInteger(router) || router < 1 || router > 254) {
    throw TargetRefused(`router: found '${options['router']}'; a whole number from 1 to 254`);
  }
}

/** A gate that listens on its host's own address only would refuse connections to the virtual one. */
function checkListening(spec: Spec, gate: GatePlace, addresses: readonly string[]): void {
  const binds = bindAddresses(hostOf(spec, gate));
  const wildcard = (address: string) =>
    binds.includes('::') || (!isIpv6(address) && binds.includes('0.0.0.0'));
  const deaf = addresses
    .map((each) => each.replace(/\/\d+$/, ''))
    .find((each) => !wildcard(each) && !binds.includes(each));
  if (deaf === undefined) return;
  throw TargetRefused(`${gate.id} on host ${gate.host} does not listen on the virtual address ${deaf}`, {
    hint: `Add to the spec: hosts: { ${gate.host}: { bind: 0.0.0.0 } } (or bind: "::" for IPv6).`,
  });
}

function configuration(
  { spec, options }: TargetInput,
  gate: GatePlace,
  addresses: readonly string[],
): string {
  const index = spec.gates.findIndex(({ id }) => id === gate.id);
  const peers = spec.gates.filter(({ id }) => id !== gate.id).map(({ address }) => address);
  return [
    `# ${gate.id} of ${spec.name} on host ${gate.host}, made by holdfast. For /etc/keepalived/keepalived.conf.`,
    'global_defs {',
    `    router_id ${spec.name}-${gate.host}`,
    '    enable_script_security',
    '    script_user nobody',
    '}',
    '',
    '# The gate answers PING itself, logged in or not: any answer means that it serves.',
    `vrrp_script gate_answers {`,
    `    script "${checkCommand(spec, gate)}"`,
    '    interval 1',
    '    timeout 3',
    '    fall 2',
    '    rise 2',
    '}',
    '',
    'vrrp_instance gate {',
    '    # No host is preferred for ever: an address that moved stays, and clients are cut once, not twice.',
    '    state BACKUP',
    '    nopreempt',
    `    interface ${options['interface']}`,
    `    virtual_router_id ${options['router']}`,
    `    priority ${200 - index}`,
    '    advert_int 1',
    '    # Unicast: clouds and many switches drop multicast.',
    `    unicast_src_ip ${gate.address}`,
    '    unicast_peer {',
    ...peers.map((address) => `        ${address}`),
    '    }',
    '    virtual_ipaddress {',
    ...addresses.map((address) => `        ${address}`),
    '    }',
    '    track_script {',
    '        gate_answers',
    '    }',
    '}',
    '',
  ].join('\n');
}

function checkCommand(spec: Spec, gate: GatePlace): string {
  const binds = bindAddresses(hostOf(spec, gate));
  const own =
    binds.find((address) => address === '127.0.0.1' || address === '::1') ?? binds[0] ?? gate.address;
  const address = own === '0.0.0.0' ? '127.0.0.1' : own === '::' ? '::1' : own;
  return `/usr/bin/timeout 2 /usr/bin/redis-cli -h ${address} -p ${gate.port} PING`;
}

function hostOf(spec: Spec, gate: GatePlace): Host {
  return spec.hosts.find(({ id }) => id === gate.host) as Host;
}
