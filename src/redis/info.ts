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

/**
 * What reads a server as a replica does, and is none, names a port above all others: no Sentinel takes it for one
 * (replication-handshake.ts). Behind that stands the port of the member that it reads for, if it does so for one.
 */
export const abovePorts = 65_536;

/** A port as a server lists it of its replicas. */
export function listedPort(port: number): number {
  return port > abovePorts ? port - abovePorts : port;
}

/** What INFO replication says of a server's place in the replication. Offsets are bytes of the stream. */
export interface ReplicationInfo {
  role: 'primary' | 'replica';
  replId: string;
  /** The history before this one, which replicas of the primary before may still be of; all zeros for none. */
  replIdBefore: string;
  /** The offset up to which its history is that one; 0 for none. */
  offsetBefore: number;
  /** A primary's offset, or how far a replica has applied its primary's stream. */
  offset: number;
  /** Of a replica: whom it follows, and whether the link is up. */
  primaryAddress: string | undefined;
  primaryPort: number | undefined;
  linkUp: boolean;
  linkDownSeconds: number | undefined;
  /** Of a replica whose link is up: for how long nothing has come over it; 0 where that is not known. */
  linkSilentSeconds: number;
  syncing: boolean;
  /** How much of what it sent it keeps for replicas that come back; 0 when it keeps nothing. */
  backlogBytes: number;
  priority: number;
  /** Of a primary: its replicas. */
  replicas: { address: string; port: number; online: boolean; offset: number; lagSeconds: number }[];
}

/** Whether an id of a history is of none: all zeros, or not told. */
export function isNoHistory(replId: string): boolean {
  return /^0*$/.test(replId);
}

/** Source of the field names: INFO replication of Redis 6.2 to 7.2 and Valkey 8. */
export function replicationInfo(info: Info): ReplicationInfo {
  const replica = info['role'] === 'slave';
  const number = (field: string) => Number(info[field] ?? 0);
  return {
    role: replica ? 'replica' : 'primary',
    replId: info['master_replid'] ?? '',
    replIdBefore: info['master_replid2'] ?? '',
    // That of the first byte which is not of it, or -1.
    offsetBefore: Math.max(0, number('second_repl_offset') - 1),
    offset: replica ? number('slave_repl_offset') : number('master_repl_offset'),
    primaryAddress: info['master_host'],
    primaryPort: info['master_port'] === undefined ? undefined : number('master_port'),
    linkUp: info['master_link_status'] === 'up',
    linkDownSeconds:
      info['master_link_down_since_seconds'] === undefined
        ? undefined
        : number('master_link_down_since_seconds'),
    linkSilentSeconds: Math.max(0, number('master_last_io_seconds_ago')),
    syncing: info['master_sync_in_progress'] === '1',
    backlogBytes: info['repl_backlog_active'] === '1' ? number('repl_backlog_size') : 0,
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
      port: listedPort(Number(parts.get('port'))),
      online: parts.get('state') === 'online',
      offset: Number(parts.get('offset')),
      lagSeconds: Number(parts.get('lag')),
    });
  }
}

/**
 * A standalone server's INFO as that of a replica, which something else makes of it.
 * @param replica its place in the replication
 */
export function infoAsReplica(
  info: Info,
  replica: Omit<
    ReplicationInfo,
    'role' | 'replicas' | 'replIdBefore' | 'offsetBefore' | 'linkSilentSeconds' | 'backlogBytes'
  >,
): Info {
  const { linkDownSeconds } = replica;
  return {
    ...info,
    role: 'slave',
    master_host: replica.primaryAddress ?? '?',
    master_port: String(replica.primaryPort ?? 0),
    master_link_status: replica.linkUp ? 'up' : 'down',
    ...(linkDownSeconds === undefined ? {} : { master_link_down_since_seconds: String(linkDownSeconds) }),
    master_sync_in_progress: replica.syncing ? '1' : '0',
    slave_repl_offset: String(replica.offset),
    slave_priority: String(replica.priority),
    master_replid: replica.replId,
    master_replid2: '0'.repeat(40),
  };
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
