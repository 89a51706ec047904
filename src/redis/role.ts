/** The ROLE command's answer, typed. Offsets are bytes of the replication stream. */
export type Role =
  | { role: 'primary'; offset: number; replicas: { address: string; port: number; offset: number }[] }
  | { role: 'replica'; primaryAddress: string; primaryPort: number; link: string; offset: number }
  | { role: 'sentinel' };

/** Source: the ROLE command's page in the Redis documentation. A replica's link is connected when all is well. */
export function parseRole(reply: unknown): Role {
  const [kind, second, third, fourth, fifth] = reply as [string, unknown, unknown, unknown, unknown];
  if (kind === 'master') {
    const replicas = (third as [string, string, string][]).map(([address, port, offset]) => ({
      address,
      port: Number(port),
      offset: Number(offset),
    }));
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
  return { role: 'sentinel' };
}
