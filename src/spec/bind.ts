import { addressKind, isIpv6, isLoopback } from './address.ts';
import type { Host } from './spec.ts';

/**
 * The local addresses that a host's servers and gates listen on: those of `bind` when given; else its own address and
 * loopback. A hostname may mean different things on the machine itself (Debian's 127.0.1.1), so there it is all
 * interfaces, which ACL users guard.
 */
export function bindAddresses(host: Host): readonly string[] {
  if (host.bind !== null) return host.bind;
  if (isLoopback(host.address)) return [host.address];
  if (addressKind(host.address) === 'hostname') return ['0.0.0.0', '::'];
  return [host.address, isIpv6(host.address) ? '::1' : '127.0.0.1'];
}

/** Whether its servers and gates would take connections to this address, once the host has it. */
export function listensOn(host: Host, address: string): boolean {
  const binds = bindAddresses(host);
  return binds.includes('::') || (!isIpv6(address) && binds.includes('0.0.0.0')) || binds.includes(address);
}
