/** That each machine is the host that the spec takes it for: one taken for another would start with nothing of its own. */
import { canonicalAddress } from '../../spec/address.ts';
import type { Host, Spec } from '../../spec/spec.ts';
import { FleetRefused } from '../errors.ts';
import type { HostFacts } from '../facts/host-facts.ts';

/**
 * By the addresses that it has. Behind NAT it has none of those of the spec, which says nothing.
 * @throws FLEET_REFUSED when ssh leads to a machine with the address of another host
 */
export function refuseOtherMachines({ hosts }: Spec, facts: readonly HostFacts[]): void {
  for (const { host: id, addresses } of facts) {
    const has = (host: Host | undefined) =>
      host !== undefined && addresses.has(canonicalAddress(host.address));
    if (has(hosts.find((host) => host.id === id))) continue;
    const other = hosts.find((host) => host.id !== id && has(host));
    if (other === undefined) continue;
    throw FleetRefused(
      `hosts.${id}.ssh leads to a machine with the address of host ${other.id}, ${other.address}, and without that of ${id}`,
      { hint: `Compare ssh and address of hosts ${id} and ${other.id} in the spec. Nothing was changed.` },
    );
  }
}

/**
 * By what the deployment calls the host with that address: state and ids go by the name.
 * @param found the specs that the hosts have, without those of the hosts that are gone for good
 * @throws FLEET_REFUSED
 */
export function refuseOtherNames({ hosts }: Spec, found: readonly Spec[]): void {
  for (const { id, address } of hosts) {
    const known = found.flatMap((each) => each.hosts).filter((host) => isSame(host.address, address));
    const former = known.find((host) => host.id !== id);
    if (former === undefined || known.some((host) => host.id === id)) continue;
    const isGone = !hosts.some((host) => host.id === former.id);
    const isNew = `When ${address} is a new machine, and the one before is gone for good: holdfast apply --forget ${former.id}.`;
    throw FleetRefused(
      `host ${id} has the address ${address}, which is host ${former.id}’s in the deployment that is there`,
      {
        hint: `A host keeps its name: what it has is kept under it. ${isGone ? `${isNew} Or take it out of the spec and apply, then add it under the other name.` : 'Give each its own address again.'}`,
      },
    );
  }
}

function isSame(one: string, other: string): boolean {
  return canonicalAddress(one) === canonicalAddress(other);
}
