import type { TlsFiles } from '../spec/spec.ts';
import type { NetworkHosts } from './network-hosts.ts';
import type { Durability, TestbedSettings } from './testbed.ts';

export const specName = 'drill';
/** Three members, three Sentinels, the gate's two listeners, the API. */
export const portsNeeded = 9;
const acks: Record<Durability, string> = { async: 'one', replicated: 'all', quorum: 'quorum' };
/** The least that the spec takes: after a failover the Sentinels begin no other within twice this. */
const shortFailoverTimeout = '6s';

/**
 * The spec of a deployment for a drill: holdfast's defaults, but for what the drill chose.
 * @param firstPort the first of `portsNeeded` free ports on this machine; the hosts of a network have the usual ones
 * @param tls files of the host that reads it; null for no TLS
 */
export function specOf(
  { durability, persistence, topology, standalone, sections = {} }: TestbedSettings,
  hosts: readonly string[],
  network: NetworkHosts | null,
  firstPort: number,
  tls: TlsFiles | null,
): Record<string, unknown> {
  const laptop = {
    redis: { members: 3, port: firstPort },
    sentinel: { port: firstPort + 3 },
    gate: { port: firstPort + 6, replicaPort: firstPort + 7 },
    agent: { port: firstPort + 8 },
  };
  const threeHosts = { redis: {}, sentinel: { failoverTimeout: shortFailoverTimeout }, gate: {}, agent: {} };
  const usual = network === null ? laptop : threeHosts;
  const encrypted = tls === null ? {} : { tls };
  const addresses = hosts.map((id) => [id, { address: network?.addressOf(id) }] as const);
  const isMirror = topology === 'mirror';
  const { sentinels = true, onSplit } = standalone ?? {};
  const voters = isMirror && !sentinels ? { count: 0 } : {};
  const count = durability === 'quorum' ? 3 : 2;
  const members = network === null ? { members: count } : { on: hosts.slice(0, count) };
  return {
    name: specName,
    ...(isMirror ? { topology, mirror: { ack: acks[durability], ...(onSplit ? { onSplit } : {}) } } : {}),
    ...(network === null ? {} : { hosts: Object.fromEntries(addresses) }),
    security: { secret: { file: 'secret' }, ...encrypted },
    redis: { ...usual.redis, ...(isMirror ? members : {}), persistence, ...sections['redis'] },
    sentinel: { ...usual.sentinel, ...voters, ...sections['sentinel'] },
    gate: { ...usual.gate, ...(isMirror ? {} : { durability }), ...sections['gate'] },
    agent: { ...usual.agent, ...encrypted, ...sections['agent'] },
  };
}
