import { listensOn } from '../../spec/bind.ts';
import type { GatePlace, Host, Spec } from '../../spec/spec.ts';
import { TargetRefused } from '../errors.ts';
import { keepalivedConf } from '../keepalived-conf.ts';
import { placesOf, type Target, type TargetInput } from '../target.ts';

/**
 * Virtual addresses for the gates: one host at a time has them, and the next takes over when that host, or its gate,
 * is gone. The read-only port may have an address of its own, so that both ports can be on one port for clients.
 */
export const keepalivedTarget: Target = {
  name: 'keepalived',
  summary: 'virtual addresses for the gates, moved by VRRP',
  options: [
    {
      name: 'address',
      about: 'virtual address of the gates, such as 10.0.1.200/24; default: gate.virtualAddress of the spec',
      default: '',
    },
    { name: 'replicaAddress', about: 'another one, for the read-only port', default: '' },
    { name: 'interface', about: 'network interface; default: the spec’s, or eth0', default: '' },
    {
      name: 'router',
      about: 'VRRP router id from 1 to 254, unlike any other on the network; default: the spec’s, or 51',
      default: '',
    },
  ],
  render(input) {
    const { spec, options } = input;
    if (spec.gates.length < 2) {
      throw TargetRefused('keepalived needs gates on two hosts or more; this spec has fewer', {
        hint: 'List the hosts under gate.on.',
      });
    }
    const named = spec.gate.virtualAddress;
    const address = options['address'] || named?.address;
    if (address === undefined) {
      throw TargetRefused('keepalived needs --set address=…, or gate.virtualAddress in the spec', {
        hint: 'An address of the network that nobody has, such as 10.0.1.200/24.',
      });
    }
    const addresses = [address, options['replicaAddress'] ?? ''].filter(Boolean);
    const router = Number(options['router'] || (named?.router ?? 51));
    checkOptions(input, addresses, router);
    for (const gate of spec.gates) checkListening(spec, gate, addresses);
    const device = options['interface'] || (named?.device ?? 'eth0');
    return placesOf(input, spec.gates).map((gate) => ({
      name: `${gate.host}/keepalived.conf`,
      text: keepalivedConf({ spec, gate, addresses, device, router }),
      secret: false,
    }));
  },
};

function checkOptions({ options }: TargetInput, addresses: readonly string[], router: number): void {
  const wrong = addresses.find((address) => !/^[0-9a-fA-F.:]+(\/\d+)?$/.test(address));
  if (wrong !== undefined)
    throw TargetRefused(`found '${wrong}'; a virtual address is an IP address, maybe with /bits`);
  if (!Number.isInteger(router) || router < 1 || router > 254) {
    throw TargetRefused(`router: found '${options['router']}'; a whole number from 1 to 254`);
  }
}

/** A gate that listens on its host's own address only would refuse connections to the virtual one. */
function checkListening(spec: Spec, gate: GatePlace, addresses: readonly string[]): void {
  const host = spec.hosts.find(({ id }) => id === gate.host) as Host;
  const deaf = addresses.map((each) => each.replace(/\/\d+$/, '')).find((each) => !listensOn(host, each));
  if (deaf === undefined) return;
  throw TargetRefused(`${gate.id} on host ${gate.host} does not listen on the virtual address ${deaf}`, {
    hint: `Add to the spec: hosts: { ${gate.host}: { bind: 0.0.0.0 } } (or bind: "::" for IPv6).`,
  });
}
