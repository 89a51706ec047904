/** Which host of the spec this machine is. The spec names addresses, and the machine knows its own. */
import { lookup } from 'node:dns/promises';
import { BlockList } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { defineError } from '../base/errors.ts';
import { addressKind, isIpv6, isLoopback, isWildcard } from '../spec/address.ts';
import type { Host, Spec } from '../spec/spec.ts';
import { chooseHost } from './target.ts';

const NotThisHost = defineError('NOT_THIS_HOST', 2);

/** What tells where we are; a test says something else. */
export interface Whereabouts {
  addresses: readonly string[];
  name: string;
  /** The addresses of a name. @throws when it has none. */
  resolve(name: string): Promise<string[]>;
}

export function whereabouts(): Whereabouts {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return {
    addresses: all.filter(({ internal }) => !internal).map(({ address }) => address),
    name: hostname(),
    resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  };
}

/** Whether the host is this machine; null when that can't be told (NAT, containers, a name that has no address). */
export async function isThisMachine(host: Host, where: Whereabouts): Promise<boolean | null> {
  const own = new BlockList();
  for (const address of where.addresses) own.addAddress(address, isIpv6(address) ? 'ipv6' : 'ipv4');
  const isOwn = (address: string) =>
    isLoopback(address) || own.check(address, isIpv6(address) ? 'ipv6' : 'ipv4');
  if (addressKind(host.address) === 'ip') {
    if (isOwn(host.address)) return true;
    // What it listens on is not what others connect to: the address is a router's.
    const concrete = (host.bind ?? []).filter(
      (address) => !isWildcard(address) && !isLoopback(address) && addressKind(address) === 'ip',
    );
    if (concrete.some(isOwn)) return true;
    return host.bind === null || concrete.length > 0 ? false : null;
  }
  if (host.address === where.name) return true;
  const found = await where.resolve(host.address).catch(() => []);
  if (found.some(isOwn)) return true;
  return found.length === 0 || host.bind !== null ? null : false;
}

/**
 * The host to look at as this machine: the one that is wanted, or the only one that this machine can be; null when it
 * is none of them, or can't be told.
 * @throws UNKNOWN_HOST, and NOT_THIS_HOST for a host that is certainly another machine.
 */
export async function hostHere(
  spec: Spec,
  wanted: string | undefined,
  where = whereabouts(),
): Promise<string | null> {
  if (wanted === undefined) {
    const answers = await Promise.all(spec.hosts.map((host) => isThisMachine(host, where)));
    const here = spec.hosts.filter((_host, index) => answers[index] === true);
    return here.length === 1 ? (here[0] as Host).id : null;
  }
  const id = chooseHost(spec, wanted);
  const host = spec.hosts.find((each) => each.id === id) as Host;
  if ((await isThisMachine(host, where)) !== false) return id;
  const has = where.addresses.length === 0 ? 'no address but loopback' : where.addresses.join(', ');
  throw NotThisHost(`host '${id}' has the address ${host.address}, and this machine has ${has}`, {
    hint: `The doctor sees the machine that it runs on. There: ssh ${host.ssh ?? host.address} holdfast doctor /etc/holdfast/${spec.name}.yaml --host ${id}`,
  });
}
