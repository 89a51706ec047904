import { type Address, addressOf } from './endpoint.ts';
import { listedPort } from './info.ts';

/** The ROLE command's answer, typed. Offsets are bytes of the replication stream. */
export type Role =
  | { role: 'primary'; offset: number; replicas: (Address & { offset: number })[] }
  | { role: 'replica'; primaryAddress: string; primaryPort: number; link: string; offset: number }
  | { role: 'sentinel' };

/**
 * Source: the ROLE command's page in the Redis documentation. A replica's link is connected when all is well; a
 * primary lists the replicas that are online. Null for what is no such answer.
 */
export function parseRole(reply: unknown): Role | null {
  if (!Array.isArray(reply)) return null;
  const [kind, second, third, fourth, fifth] = reply as unknown[];
  if (kind === 'master') {
    const replicas = (Array.isArray(third) ? third : []).flatMap((entry) => {
      const [ip, port, offset] = Array.isArray(entry) ? entry.map(String) : [];
      const address = addressOf(ip, String(listedPort(Number(port))));
      return address === undefined ? [] : [{ ...address, offset: Number(offset) }];
    });
    return { role: 'primary', offset: Number(second), replicas };
  }
  if (kind === 'slave') {
    return {
      role: 'replica',
      primaryAddress: String(second),
      primaryPort: Number(third),
      link: String(fourth),
      offset: Number(fifth),
    };
  }
  return kind === 'sentinel' ? { role: 'sentinel' } : null;
}
