/** INFO as Redis prints it: `field:value` lines under `# Section` headings. Unknown fields are kept. */
export type Info = Record<string, string>;

export function parseInfo(text: string): Info {
  const info: Info = {};
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && line[0] !== '#') info[line.slice(0, colon)] = line.slice(colon + 1);
  }
  return info;
}

/** What INFO replication says of a server's place in the replication. Offsets are bytes of the stream. */
export interface ReplicationInfo {
  role: 'primary' | 'replica';
  replId: string;
  /** The history before this one, which replicas of the primary before may still be of; all zeros for none. */
  replIdBefore: string;
  /** A primary's offset, or how far a replica has applied its primary's stream. */
  offset: number;
  /** Of a replica: whom it follows, and whether the link is up. */
  primaryAddress: string | undefined;
  primaryPort: number | undefined;
  linkUp: boolean;
  linkDownSeconds: number | undefined;
  syncing: boolean;
  priority: number;
  /** Of a primary: its replicas. */
  replicas: { address: string; port: number; online: boolean; offset: number; lagSeconds: number }[];
}

/** Source of the field names: INFO replication of Redis 6.2 to 7.2 and Valkey 8. */
export function replicationInfo(info: Info): ReplicationInfo {
  const replica = info['role'] === 'slave';
  const number = (field: string) => Number(info[field] ?? 0);
  return {
    role: replica ? 'replica' : 'primary',
    replId: info['master_replid'] ?? '',
    replIdBefore: info['master_replid2'] ?? '',
    offset: replica ? number('slave_repl_offset') : number('master_repl_offset'),
    primaryAddress: info['master_host'],
    primaryPort: info['master_port'] === undefined ? undefined : number('master_port'),
    linkUp: info['master_link_status'] === 'up',
    linkDownSeconds:
      info['master_link_down_since_seconds'] === undefined
        ? undefined
        : number('master_link_down_since_seconds'),
    syncing: info['master_sync_in_progress'] === '1',
    priority: Number(info['slave_priority'] ?? 100),
    replicas: connectedReplicas(info),
  };
}

function connectedReplicas(info: Info): ReplicationInfo['replicas'] {
  const found: ReplicationInfo['replicas'] = [];
  for (const [field, value] of Object.entries(info)) {
    if (!/^slave\d+$/.test(field)) continue;
    const parts = new Map(value.split(',').map((part) => part.split('=', 2) as [string, string]));
    found.push({
      address: parts.get('ip') ?? '',
      port: Number(parts.get('port')),
      online: parts.get('state') === 'online',
      offset: Number(parts.get('offset')),
      lagSeconds: Number(parts.get('lag')),
    });
  }
  return found;
}

/** The number of keys in all databases, from INFO keyspace (`db0:keys=3,expires=0,avg_ttl=0`). */
export function keyCount(info: Info): number {
  let keys = 0;
  for (const [field, value] of Object.entries(info)) {
    if (/^db\d+$/.test(field)) keys += Number(/keys=(\d+)/.exec(value)?.[1] ?? 0);
  }
  return keys;
}
