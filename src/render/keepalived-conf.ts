import { bindAddresses } from '../spec/bind.ts';
import type { GatePlace, Host, Spec } from '../spec/spec.ts';

export interface KeepalivedInput {
  spec: Spec;
  gate: GatePlace;
  addresses: readonly string[];
  /** On which the virtual addresses are. */
  device: string;
  /** From 1 to 255, the same on all hosts of the deployment and unlike any other on the network. */
  router: number;
}

/** The text of keepalived.conf for the host of one gate (keepalived.conf(5)). */
export function keepalivedConf({ spec, gate, addresses, device, router }: KeepalivedInput): string {
  const index = spec.gates.findIndex(({ id }) => id === gate.id);
  const peers = spec.gates.filter(({ id }) => id !== gate.id).map(({ address }) => address);
  return [
    `# ${gate.id} of ${spec.name} on host ${gate.host}, made by holdfast. For /etc/keepalived/keepalived.conf.`,
    'global_defs {',
    `    router_id ${spec.name}-${gate.host}`,
    '    enable_script_security',
    // The key of a certificate is holdfast's own to read.
    `    script_user ${spec.security.tls === null ? 'nobody' : spec.runAs}`,
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
    `    interface ${device}`,
    `    virtual_router_id ${router}`,
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

/** Which of the two a host has is found there: Red Hat's family has one up to version 9 and the other from then on. */
function checkCommand({ hosts, security }: Spec, gate: GatePlace): string {
  const binds = bindAddresses(hosts.find(({ id }) => id === gate.host) as Host);
  const own =
    binds.find((address) => address === '127.0.0.1' || address === '::1') ?? binds[0] ?? gate.address;
  const address = own === '0.0.0.0' ? '127.0.0.1' : own === '::' ? '::1' : own;
  const { tls } = security;
  const secure = tls === null ? '' : ` --tls --cacert ${tls.ca} --cert ${tls.cert} --key ${tls.key}`;
  const ask = (cli: string) => `timeout 2 ${cli} -h ${address} -p ${gate.port}${secure} PING`;
  return `/bin/sh -c 'PATH=/usr/local/bin:/usr/bin:/bin; ${ask('redis-cli')} || ${ask('valkey-cli')}'`;
}
