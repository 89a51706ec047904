import { hostPort, isLoopback, isWildcard } from './address.ts';
import type { Host, Spec } from './spec.ts';

/** Where a browser finds the API of a host: what it listens on, or the host's address where that is all addresses. */
export function apiUrl({ agent }: Pick<Spec, 'agent'>, host: Host): string {
  const named = agent.bind.filter((address) => !isWildcard(address));
  const address = agent.bind.some(isWildcard) ? host.address : (named[0] ?? host.address);
  return `http${agent.tls === null ? '' : 's'}://${hostPort(address, agent.port)}`;
}

/** Where what runs on the host itself asks it: by loopback, if it listens there. */
export function apiAddressHere({ agent }: Pick<Spec, 'agent'>): string {
  const { bind } = agent;
  if (bind.length === 0 || bind.some(isWildcard)) return '127.0.0.1';
  return bind.find(isLoopback) ?? (bind[0] as string);
}
