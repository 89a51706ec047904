/**
 * A spec that has been read, checked and completed: every default is filled in, durations are milliseconds (`…Ms`),
 * sizes are bytes (`…Bytes`), paths are absolute, and everything that runs has its place (host, address, port).
 * `parseSpec` makes it; nothing changes it afterwards. docs/spec.md describes the file it comes from.
 */
export interface Spec {
  /** Name of the deployment, and the name under which the Sentinels know it. */
  readonly name: string;
  /** Null: members replicate. Else they are standalone servers: one leads, and the others get what it does by a stream. */
  readonly mirror: MirrorTopology | null;
  /** True when the file has no `hosts`: everything runs on this machine, on loopback. */
  readonly laptop: boolean;
  readonly hosts: readonly Host[];
  /** Who everything runs as on hosts that holdfast is installed on. */
  readonly runAs: string;
  /** In the spec's order: on a new deployment the first starts as the primary. */
  readonly members: readonly Member[];
  readonly sentinels: readonly SentinelPlace[];
  readonly gates: readonly GatePlace[];
  readonly redis: RedisSettings;
  readonly sentinel: SentinelSettings;
  readonly gate: GateSettings;
  readonly agent: AgentSettings;
  readonly security: Security;
  readonly backup: Backup | null;
  readonly mirrors: readonly Mirror[];
}

export interface MirrorTopology {
  /** Who has a write when it is acknowledged: the member that leads, most of those in sync, all of them. */
  readonly ack: 'one' | 'quorum' | 'all';
  /** Where the read-only port reads. */
  readonly read: 'local' | 'lead' | 'quorum';
  /** What becomes of what a lead took that was cut off and replaced: it is gone, or kept in a file. */
  readonly onSplit: 'refuse' | 'serve';
}

export interface Host {
  readonly id: string;
  /** What everyone else connects to: an IP address or a hostname; all hosts have the same kind. */
  readonly address: string;
  /** Local addresses to listen on when they differ from `address` (NAT, containers); null: `address` and loopback. */
  readonly bind: readonly string[] | null;
  /** Where ssh reaches the host: `user@name`, or a name from the user's ssh configuration. */
  readonly ssh: string | null;
}

/** Something that runs: where, and on which port. `id` is unique in the deployment. */
export interface Place {
  readonly id: string;
  /** The id of a host in `spec.hosts`. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

export type Member = Place;
export type SentinelPlace = Place;

export interface GatePlace extends Place {
  /** The read-only port; null when the spec wants none. */
  readonly replicaPort: number | null;
}

export type Persistence = 'none' | 'rdb' | 'aof-everysec' | 'aof-always';
export type ConfigValue = string | number | boolean;

/** Which program the members and Sentinels are. Null: whatever is found. */
export interface EngineChoice {
  readonly engine: 'redis' | 'valkey' | null;
  /** A full path, or a name to look for on the PATH; Sentinels run the same program. */
  readonly binary: string | null;
  /** The version that it must have, or begin with: `7`, `7.0`, `8.0.1`. */
  readonly version: string | null;
}

export interface RedisSettings extends EngineChoice {
  readonly maxMemoryBytes: number | null;
  readonly maxMemoryPolicy: string;
  readonly persistence: Persistence;
  readonly save: readonly SavePoint[];
  readonly minReplicasToWrite: number;
  readonly minReplicasMaxLagMs: number;
  /** Other redis.conf directives by lower-case name; several values make several lines. */
  readonly config: Readonly<Record<string, readonly ConfigValue[]>>;
}

/** Save an RDB when this many seconds have passed and this many keys have changed. */
export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

export interface SentinelSettings {
  readonly quorum: number;
  readonly detectAfterMs: number;
  readonly failoverTimeoutMs: number;
}

export interface GateSettings {
  readonly kind: 'gate' | 'haproxy';
  readonly holdMs: number;
  readonly inflightWrites: 'fail' | 'retry-idempotent';
  readonly durability: 'async' | 'replicated';
  readonly workers: number;
  /** A replica further behind than this serves no reads at the read-only port. */
  readonly maxLagMs: number;
  /** What the read-only port does when no replica is fit. */
  readonly replicaFallback: 'primary' | 'error';
  /** HAProxy's page of statistics on loopback; null for none, and with holdfast's own gate. */
  readonly statsPort: number | null;
  /** Whether clients have to show a certificate of the authority of `security.tls`. */
  readonly clientCertificates: 'none' | 'required';
  /** Null: there is none. */
  readonly virtualAddress: VirtualAddress | null;
  readonly limits: GateLimits;
  readonly routes: readonly GateRoute[];
  /** Who gets copies of clients' requests: the spec's mirrors with `how: requests`. */
  readonly mirrors: readonly RequestMirror[];
}

/** A server that gets copies of requests, and is never waited for. */
export interface RequestMirror extends Omit<Mirror, 'maxRateBytes' | 'queueBytes'> {
  readonly copies: 'writes' | 'all';
  /** Of the keys, as many in a hundred. */
  readonly percentage: number;
}

/** Where the keys go that begin with some prefixes. */
export interface GateRoute {
  readonly name: string;
  /** `redis://[user@]host:port`, `sentinel://[user@]host:port,host:port/NAME`; with TLS `rediss` and `sentinels`. */
  readonly to: string;
  readonly prefixes: readonly string[];
  /** The target has the keys without their prefix. */
  readonly removePrefix: boolean;
  /** Reads of its keys stay here, where there is a copy. */
  readonly readsHere: boolean;
  /** Of the user that everybody is there; null: everybody is who they are. */
  readonly password: SecretSource | null;
  /** Absolute path of a PEM file; null: the system's authorities. */
  readonly ca: string | null;
  readonly faults: readonly Fault[];
}

/** Made on purpose at a route. */
export interface Fault {
  readonly delayMs: number;
  /** Null: the requests are sent. */
  readonly error: string | null;
  readonly percentage: number;
  /** Empty: every one. */
  readonly commands: readonly string[];
}

/** What one host with a gate has at a time, by VRRP. */
export interface VirtualAddress {
  /** Maybe with /bits. */
  readonly address: string;
  /** The network interface; null: the one that has the host's address. */
  readonly device: string | null;
  readonly router: number;
}

export interface GateLimits {
  readonly maxClients: number;
  /** Bytes of requests and replies that may wait in the gate, all clients together. */
  readonly maxHeldBytes: number;
  /** The longest single argument, as Redis's proto-max-bulk-len. */
  readonly maxBulkBytes: number;
  /** Replies that may wait for one slow reader before it is disconnected. */
  readonly maxReplyBytes: number;
}

export interface AgentSettings {
  readonly port: number;
  readonly bind: readonly string[];
  /** Of the API; null: it is plain HTTP. */
  readonly tls: TlsFiles | null;
  readonly hangAfterMs: number;
  readonly restarts: { readonly limit: number; readonly withinMs: number };
}

export interface Security {
  readonly users: readonly AppUser[];
  /** The deployment's own secret, the same on every host; null: one is made in the state directory. */
  readonly secret: SecretSource | null;
  /** With an authority of its own these are the files of the first host, in the authority's folder. */
  readonly tls: TlsFiles | null;
  /** Absolute path of the folder of the deployment's own authority (`tls: auto`); null: there is none. */
  readonly authority: string | null;
}

/** An ACL user for applications. */
export interface AppUser {
  readonly name: string;
  readonly password: SecretSource;
  /** Valid beside it, while clients change over from the one to the other; null for none. */
  readonly formerPassword: SecretSource | null;
  /** ACL rules: keys, channels and commands. */
  readonly acl: string;
}

/** Where a secret is read from when it is needed. The path is absolute. */
export type SecretSource = { readonly file: string } | { readonly env: string };

/** Absolute paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface Backup {
  /** `file:///absolute/folder` or `s3://bucket/prefix`. */
  readonly to: string;
  readonly s3: BackupS3;
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** age public keys; none: backups are not encrypted. */
  readonly recipients: readonly string[];
  /** `prefer-replica`: the primary when no replica is fit. */
  readonly from: 'replica' | 'prefer-replica' | 'primary';
  readonly schedule: string;
  readonly timezone: string;
  readonly keep: Keep;
  readonly verify: 'daily' | 'weekly' | 'never';
}

/** How the bucket is reached; without meaning for a folder. Credentials are found where the AWS tools find them. */
export interface BackupS3 {
  /** Null: AWS. */
  readonly endpoint: string | null;
  /** Null: as the AWS tools find it. */
  readonly region: string | null;
  readonly pathStyle: boolean;
  readonly serverSideEncryption: 'AES256' | 'aws:kms' | null;
  readonly kmsKeyId: string | null;
}

/** How many of each to keep; 0 keeps none of that kind. The last good backup always stays. */
export interface Keep {
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  /** Backups younger than this stay as well; null: age plays no part. */
  readonly maxAgeMs: number | null;
}

/** A copy elsewhere that follows this deployment: by its stream. */
export interface Mirror {
  readonly name: string;
  /** `redis://[user@]host:port`, or `rediss://`. */
  readonly to: string;
  /** Null: it takes anybody. */
  readonly password: SecretSource | null;
  /** Absolute path of a PEM file; null: the system's authorities. */
  readonly ca: string | null;
  /** Only keys that begin with one of these; empty for all. */
  readonly prefixes: readonly string[];
  /** What may wait on disk while the copy is away. */
  readonly queueBytes: number;
  /** Bytes a second; 0 for as much as there is. */
  readonly maxRateBytes: number;
}
