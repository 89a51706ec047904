import { expect, test } from 'vitest';
import { canonicalAddress } from '../../spec/address.ts';
import { parseSpec } from '../../spec/parse.ts';
import type { HostFacts } from '../facts/host-facts.ts';
import { refuseOtherMachines, refuseOtherNames } from './machines.ts';

/** `a=10.0.1.1 b=10.0.1.2`: hosts and their addresses. */
function specOf(places: string) {
  const hosts = places
    .split(' ')
    .map((each) => each.replace(/(.*)=(.*)/, '$1: { address: "$2", ssh: "ops@$2" }'));
  return parseSpec(`name: orders\nhosts: { ${hosts.join(', ')} }`, 'holdfast.yaml');
}
const has = (host: string, ...addresses: string[]) =>
  ({ host, addresses: new Set(addresses.map(canonicalAddress)) }) as unknown as HostFacts;
const three = specOf('a=10.0.1.1 b=10.0.1.2 c=10.0.1.3');

test('ssh that leads to the machine of another host is refused; behind NAT nobody can tell', () => {
  const own = [has('a', '10.0.1.1'), has('b', '10.0.1.2', '172.17.0.1'), has('c', '192.168.0.5')];
  expect(() => refuseOtherMachines(three, own)).not.toThrow();
  const swapped = [has('a', '127.0.0.1', '10.0.1.2'), has('b', '10.0.1.1'), has('c', '10.0.1.3')];
  expect(() => refuseOtherMachines(three, swapped)).toThrow(
    'hosts.a.ssh leads to a machine with the address of host b',
  );
  const twice = [has('a', '10.0.1.1'), has('b', '10.0.1.1'), has('c', '10.0.1.3')];
  expect(() => refuseOtherMachines(three, twice)).toThrow(
    'hosts.b.ssh leads to a machine with the address of host a',
  );
  const v6 = specOf('a=fd00:0::1 b=fd00::2 c=fd00::3');
  expect(() => refuseOtherMachines(v6, [has('a', 'fd00::1'), has('b', 'fd00::2')])).not.toThrow();
  expect(() => refuseOtherMachines(v6, [has('b', 'fd00::1')])).toThrow('address of host a');
});

test('a host keeps its name, and its address is not another one’s', () => {
  expect(() => refuseOtherNames(three, [three, three])).not.toThrow();
  expect(() => refuseOtherNames(specOf('b=10.0.1.2 c=10.0.1.3 d=10.0.1.4'), [three])).not.toThrow();
  expect(() => refuseOtherNames(three, [])).not.toThrow();
  const renamed = specOf('x=10.0.1.1 b=10.0.1.2 c=10.0.1.3');
  expect(() => refuseOtherNames(renamed, [three])).toThrow(
    'host x has the address 10.0.1.1, which is host a’s',
  );
  // A new machine in the place of one that is gone for good.
  expect(() => refuseOtherNames(renamed, [specOf('b=10.0.1.2 c=10.0.1.3 e=10.0.1.5')])).not.toThrow();
  const swapped = specOf('a=10.0.1.2 b=10.0.1.1 c=10.0.1.3');
  expect(() => refuseOtherNames(swapped, [three])).toThrow(
    'host a has the address 10.0.1.2, which is host b’s',
  );
});

test('one that is in the middle of it may go on', () => {
  const joining = specOf('a=10.0.1.1 b=10.0.1.2 c=10.0.1.3 d=10.0.1.4');
  expect(() => refuseOtherNames(specOf('b=10.0.1.2 c=10.0.1.3 d=10.0.1.4'), [three, joining])).not.toThrow();
});
