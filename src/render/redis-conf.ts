import { formatSize } from '../base/size.ts';
import { bindAddresses } from '../spec/bind.ts';
import { ownUserName, type Secrets } from '../spec/secrets.ts';
import { backlogBytes, replicaBuffer } from '../spec/sizing.ts';
import type { ConfigValue, Host, Member, Spec } from '../spec/spec.ts';
import { tcpBacklog } from './host-settings.ts';
import { directive } from './redis-quote.ts';
import { portLines } from './redis-tls.ts';

/**
 * redis.conf of one member. Only directives that Redis 6.2, 7 and 8 and Valkey 8 and 9 all know. Once started the file
 * is state: Redis rewrites it, and it is rendered again only for a member that has none.
 */
export interface RedisConfInput {
  spec: Spec;
  member: Member;
  paths: RedisConfPaths;
  secrets: Secrets;
  /** The member that this one replicates; null when it is to be the primary. */
  primary: Member | null;
}

/** Absolute paths. An empty `logFile` means standard output. */
export interface RedisConfPaths {
  dataDir: string;
  logFile: string;
  unixSocket: string;
  aclFile: string;
  pidFile?: string;
}

export function renderRedisConf(input: RedisConfInput): string {
  const { spec, member } = input;
  const groups: Group[] = [
    [
      `${member.id} of ${spec.name}, made by holdfast. Redis rewrites this file: it is state from its first start on.`,
    ],
    ['Where it listens, and what it is called by everyone else.', ...network(spec, member, input.paths)],
    [
      'Who gets in: users are in the ACL file, which this one keeps out of reach of CONFIG SET.',
      ...access(input),
    ],
    ['Files.', ...files(input.paths)],
    [
      'Replication: copies go from memory to socket, and a replica that was away catches up from the backlog.',
      ...replication(input),
    ],
    ['Memory.', ...memory(spec)],
    ['Persistence.', ...persistence(spec)],
    ['When it answers BUSY, and what it notes about slow commands and stalls.', ...observation(spec)],
  ];
  const passed = Object.entries(spec.redis.config);
  const overridden = new Set(
    passed.map(([name]) => name).filter((name) => name !== 'client-output-buffer-limit'),
  );
  const kept = groups.map((group) =>
    group.filter((line, index) => index === 0 || !overridden.has(nameOf(line))),
  );
  if (passed.length > 0)
    kept.push([
      'From redis.config in the spec.',
      ...passed.flatMap(([name, values]) => passedOn(name, values)),
    ]);
  return `${kept.map(([title, ...lines]) => [`# ${title}`, ...lines].join('\n')).join('\n\n')}\n`;
}

/** A comment, and the directives that it is about. */
type Group = [title: string, ...lines: string[]];

function network(spec: Spec, member: Member, paths: RedisConfPaths): string[] {
  return [
    ...portLines(member.port, spec.security.tls),
    redisBind(hostOf(spec, member)),
    directive('protected-mode', 'yes'),
    directive('unixsocket', paths.unixSocket),
    directive('unixsocketperm', 700),
    directive('tcp-backlog', tcpBacklog),
    directive('tcp-keepalive', 60),
    directive('timeout', 0),
    directive('replica-announce-ip', member.address),
    directive('replica-announce-port', member.port),
  ];
}

/** `-` before an address: go on without it when the machine doesn't have it (IPv6 is often switched off). */
export function redisBind(host: Host): string {
  const addresses = bindAddresses(host).map((address) => {
    if (address === '::' || address === '0.0.0.0') return address === '::' ? '-::*' : '*';
    return address === '::1' ? '-::1' : address;
  });
  const loopback = addresses.join() === '127.0.0.1' ? ['-::1'] : [];
  return directive('bind', ...addresses, ...loopback);
}

function access({ paths, secrets }: RedisConfInput): string[] {
  return [
    directive('aclfile', paths.aclFile),
    directive('masteruser', ownUserName('replication')),
    directive('masterauth', secrets.own.replication),
  ];
}

function files(paths: RedisConfPaths): string[] {
  return [
    directive('dir', paths.dataDir),
    directive('dbfilename', 'dump.rdb'),
    directive('logfile', paths.logFile),
    directive('loglevel', 'notice'),
    directive('daemonize', 'no'),
    directive('supervised', 'no'),
    ...(paths.pidFile === undefined ? [] : [directive('pidfile', paths.pidFile)]),
  ];
}

function replication({ spec, primary }: RedisConfInput): string[] {
  const { hardBytes, softBytes, softSeconds } = replicaBuffer(spec);
  return [
    ...(primary === null || spec.mirror !== null
      ? []
      : [directive('replicaof', primary.address, primary.port)]),
    directive('replica-serve-stale-data', 'yes'),
    directive('replica-read-only', 'yes'),
    directive('replica-lazy-flush', 'yes'),
    directive('repl-diskless-sync', 'yes'),
    directive('repl-diskless-sync-delay', 0),
    directive('repl-diskless-load', 'on-empty-db'),
    directive('repl-backlog-size', formatSize(backlogBytes(spec.redis.maxMemoryBytes))),
    directive('min-replicas-to-write', spec.redis.minReplicasToWrite),
    directive('min-replicas-max-lag', spec.redis.minReplicasMaxLagMs / 1000),
    directive('client-output-buffer-limit', 'normal', 0, 0, 0),
    directive(
      'client-output-buffer-limit',
      'replica',
      formatSize(hardBytes),
      formatSize(softBytes),
      softSeconds,
    ),
    directive('client-output-buffer-limit', 'pubsub', '32mb', '8mb', 60),
  ];
}

function memory({ redis }: Spec): string[] {
  return [
    directive('maxmemory', redis.maxMemoryBytes === null ? 0 : formatSize(redis.maxMemoryBytes)),
    directive('maxmemory-policy', redis.maxMemoryPolicy),
  ];
}

function persistence({ redis }: Spec): string[] {
  const aof = redis.persistence === 'aof-everysec' || redis.persistence === 'aof-always';
  return [
    directive('appendonly', aof ? 'yes' : 'no'),
    directive('appendfsync', redis.persistence === 'aof-always' ? 'always' : 'everysec'),
    directive('aof-use-rdb-preamble', 'yes'),
    directive('rdbcompression', 'yes'),
    directive('rdbchecksum', 'yes'),
    directive('stop-writes-on-bgsave-error', 'yes'),
    ...(redis.save.length === 0
      ? [directive('save', '')]
      : redis.save.map(({ seconds, changes }) => directive('save', seconds, changes))),
  ];
}

/** Of `hangAfter`: a script that runs for this share of it is answered for with BUSY, long before it is one. */
const busyShare = 0.6;
const usualBusyMs = 5000;

/** Redis 7 calls lua-time-limit busy-reply-threshold and knows both names. */
function observation({ agent }: Spec): string[] {
  return [
    directive('lua-time-limit', Math.min(usualBusyMs, Math.round(agent.hangAfterMs * busyShare))),
    directive('slowlog-log-slower-than', 10_000),
    directive('slowlog-max-len', 256),
    directive('latency-monitor-threshold', 100),
  ];
}

/** A text may be several words (`replica 1gb 512mb 60`), so it goes through as it stands. */
function passedOn(name: string, values: readonly ConfigValue[]): string[] {
  return values.map((value) => {
    if (typeof value === 'boolean') return `${name} ${value ? 'yes' : 'no'}`;
    return value === '' ? `${name} ""` : `${name} ${value}`;
  });
}

function nameOf(line: string): string {
  return line.split(' ', 1)[0] as string;
}

function hostOf(spec: Spec, member: Member): Host {
  return spec.hosts.find(({ id }) => id === member.host) as Host;
}
