import { addressKind, isIpv6 } from '../address.ts';
import { listensOn } from '../bind.ts';
import type { Problem } from '../problems.ts';
import type { SpecFile } from '../schema.ts';
import type { Spec } from '../spec.ts';

export function gateRules(spec: Spec, file: SpecFile): Problem[] {
  return [
    ...placeRules(file),
    ...haproxyRules(spec, file),
    ...certificateRules(spec),
    ...virtualAddressRules(spec),
  ];
}

function placeRules(file: SpecFile): Problem[] {
  const on = file.gate?.on ?? [];
  return on.flatMap((name, index) =>
    on.indexOf(name) === index
      ? []
      : [
          {
            path: ['gate', 'on', index],
            message: `found '${name}' again; one gate a host: for more processes behind one port, use gate.workers`,
          },
        ],
  );
}

/** HAProxy forwards bytes: what needs the commands themselves is beyond it. */
function haproxyRules(spec: Spec, file: SpecFile): Problem[] {
  const written = file.gate ?? {};
  const problems: Problem[] = [];
  if (spec.gate.kind !== 'haproxy') {
    if (written.statsPort === undefined) return [];
    const message = "it is HAProxy's page; holdfast's own gate reports through the agent's API: remove this";
    return [{ path: ['gate', 'statsPort'], message, about: 'key' }];
  }
  const beyond = (key: keyof typeof written, what: string) =>
    problems.push({
      path: ['gate', key],
      message: `${what} is beyond HAProxy, which does not see commands; use kind: gate, or remove this`,
      about: 'key',
    });
  if (spec.gate.durability === 'replicated') beyond('durability', 'waiting for replicas');
  if (spec.gate.inflightWrites === 'retry-idempotent') beyond('inflightWrites', 'sending a write again');
  if (written.hold !== undefined) beyond('hold', 'holding commands');
  if (spec.gate.clientCertificates === 'required') beyond('clientCertificates', 'asking for certificates');
  if (written.routes !== undefined) beyond('routes', 'sending keys to different servers');
  return problems;
}

function certificateRules({ gate, security }: Spec): Problem[] {
  if (gate.clientCertificates === 'none' || security.tls !== null) return [];
  const message =
    "found 'required' without security.tls: certificates are shown over TLS only; set security.tls";
  return [{ path: ['gate', 'clientCertificates'], message }];
}

/** It moves from host to host: without another one it could not, and who does not listen there refuses its clients. */
function virtualAddressRules({ gate: { virtualAddress }, gates, hosts }: Spec): Problem[] {
  if (virtualAddress === null) return [];
  const path = ['gate', 'virtualAddress'];
  const [address = '', bits] = virtualAddress.address.split('/');
  const found = `found '${virtualAddress.address}'`;
  const most = isIpv6(address) ? 128 : 32;
  if (addressKind(address) !== 'ip' || Number(bits ?? 1) < 1 || Number(bits ?? 1) > most)
    return [{ path, message: `${found}; allowed: an IP address, maybe with /bits, such as 10.0.1.200/24` }];
  if (gates.length < 2) {
    const message = `${found} with fewer than two gates: it could move nowhere; list two hosts under gate.on`;
    return [{ path, message }];
  }
  const owner = hosts.find((host) => host.address === address);
  if (owner !== undefined)
    return [{ path, message: `${found}, which host '${owner.id}' has: name one that nobody has` }];
  const deaf = hosts.find((host) => gates.some((gate) => gate.host === host.id) && !listensOn(host, address));
  if (deaf === undefined) return [];
  const every = isIpv6(address) ? '"::"' : '0.0.0.0';
  const message = `${found}, on which the gate of host '${deaf.id}' does not listen: add hosts: { ${deaf.id}: { bind: ${every} } }`;
  return [{ path, message }];
}
