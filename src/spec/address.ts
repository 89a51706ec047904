import { z } from 'zod';

/** Addresses are told apart by text alone: this layer opens no sockets and asks no resolver. */

const ipv4 = z.ipv4();
const ipv6 = z.ipv6();
const hostname =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$/i;

/** What an address is; undefined for neither. `10.0.1.300` is neither: a hostname doesn't end in a number. */
export function addressKind(address: string): 'ip' | 'hostname' | undefined {
  if (isIpv4(address) || isIpv6(address)) return 'ip';
  const lastLabel = address.split('.').at(-1) ?? '';
  return hostname.test(address) && !/^\d+$/.test(lastLabel) ? 'hostname' : undefined;
}

export function isIpv6(address: string): boolean {
  return ipv6.safeParse(address).success;
}

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || (isIpv4(address) && address.startsWith('127.'));
}

/** In the form in which two that are the same are the same text: `fd00:0::1` and `FD00::1`. */
export function canonicalAddress(address: string): string {
  return address.includes(':') && isIpv6(address)
    ? new URL(`http://[${address}]`).hostname.slice(1, -1)
    : address.toLowerCase();
}

/** Every address of a machine: something to listen on, and nothing that can be asked. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** `host:port`, with the brackets that an IPv6 address needs. */
export function hostPort(address: string, port: number): string {
  return isIpv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

function isIpv4(address: string): boolean {
  return ipv4.safeParse(address).success;
}
