/** INFO as Redis prints it: `field:value` lines under `# Section` headings. Unknown fields are kept. */
export type Info = Record<string, string>;

export function parseInfo(text: string): Info {
  const info: Info = Object.create(null);
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && line[0] !== '#') info[line.slice(0, colon)] = line.slice(colon + 1);
  }
  return info;
}

/** The same by section, the headings in lower case. */
export function infoSections(text: string): Record<string, Info> {
  const sections = text.split(/^# /m).map((part): [string, Info] => {
    const [heading = ''] = part.split('\r\n', 1);
    return [heading.trim().toLowerCase(), parseInfo(part.slice(heading.length))];
  });
  return Object.fromEntries(sections.filter(([heading]) => heading !== ''));
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
  // They are numbered from 0 on, without gaps.
  for (let i = 0; ; i++) {
    const value = info[`slave${i}`];
    if (value === undefined) return found;
    const parts = new Map(value.split(',').map((part) => part.split('=', 2) as [string, string]));
    found.push({
      address: parts.get('ip') ?? '',
      port: Number(parts.get('port')),
      online: parts.get('state') === 'online',
      offset: Number(parts.get('offset')),
      lagSeconds: Number(parts.get('lag')),
    });
  }
}

/** The databases that hold keys, and how many of these expire, from INFO keyspace (`db0:keys=3,expires=0,avg_ttl=0`). */
export function keyspaces(info: Info): { db: number; keys: number; expiring: number }[] {
  const names = Object.keys(info).filter((field) => field.startsWith('db'));
  return names.flatMap((field) => {
    const db = /^db(\d+)$/.exec(field)?.[1];
    const counts = /^keys=(\d+),expires=(\d+)/.exec(info[field] ?? '');
    if (db === undefined || counts === null) return [];
    return [{ db: Number(db), keys: Number(counts[1]), expiring: Number(counts[2]) }];
  });
}

/** The number of keys in all databases. */
export function keyCount(info: Info): number {
  return keyspaces(info).reduce((sum, { keys }) => sum + keys, 0);
}

/** Valkey says which Redis it is like, and its own version beside it. */
export function productOf(info: Info): { name: 'redis' | 'valkey'; version: string } {
  const valkey = info['valkey_version'];
  return valkey === undefined
    ? { name: 'redis', version: info['redis_version'] ?? '' }
    : { name: 'valkey', version: valkey };
}

/** The names of INFO modules, whose lines all begin with the same field. */
export function moduleNames(text: string): string[] {
  return [...text.matchAll(/^module:name=([^,\r\n]+)/gm)].map((match) => match[1] as string);
}
