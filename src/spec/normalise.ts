import path from 'node:path';
import { parseDuration } from '../base/duration.ts';
import { parseSize } from '../base/size.ts';
import { authorityFolder, filesOfHost } from './authority-files.ts';
import { place } from './place.ts';
import type { Problem } from './problems.ts';
import { usualFailoverTimeoutMs } from './schema/sentinel.ts';
import type { SpecFile } from './schema.ts';
import type {
  AgentSettings,
  Backup,
  ConfigValue,
  GateSettings,
  Host,
  Mirror,
  MirrorTopology,
  Place,
  RedisSettings,
  RequestMirror,
  SavePoint,
  SecretSource,
  Security,
  SentinelSettings,
  Spec,
  TlsFiles,
} from './spec.ts';
import { usualUser } from './usual-user.ts';

/** What an application's user may do unless the spec says otherwise. INFO is @dangerous, but client libraries ask it. */
export const defaultUserAcl = '~* &* +@all -@dangerous +info';

const usualRouter = 51;
const defaultSave = ['3600 1', '300 100', '60 10000'];

/** Fills in every default, converts units and places everything. Problems are those of placing alone. */
export function normalise(file: SpecFile, fileName: string): { spec: Spec; problems: Problem[] } {
  const laptop = Object.keys(file.hosts ?? {}).length === 0;
  const hosts = laptop ? [laptopHost] : Object.entries(file.hosts ?? {}).map(hostOf);
  const ids = hosts.map(({ id }) => id);
  const members = place(
    {
      section: 'redis',
      prefix: 'redis',
      countKey: 'members',
      count: file.redis?.members,
      on: file.redis?.on,
      ids: file.redis?.ids,
      port: file.redis?.port ?? 6379,
      defaultCount: 3,
      defaultOn: ids,
    },
    hosts,
    laptop,
  );
  const sentinels = place(
    {
      section: 'sentinel',
      prefix: 'sentinel',
      countKey: 'count',
      count: file.sentinel?.count,
      on: file.sentinel?.on,
      ids: file.sentinel?.ids,
      port: file.sentinel?.port ?? 26_379,
      defaultCount: 3,
      defaultOn: ids.length % 2 === 1 ? ids : ids.slice(0, -1),
    },
    hosts,
    laptop,
  );
  const gates = place(
    {
      section: 'gate',
      prefix: 'gate',
      count: undefined,
      on: file.gate?.on,
      ids: file.gate?.ids,
      port: file.gate?.port ?? freeDoor([...members.places, ...sentinels.places].map(({ port }) => port)),
      defaultCount: 1,
      defaultOn: ids,
    },
    hosts,
    laptop,
  );
  const folder = path.dirname(path.resolve(fileName));
  const authority = file.security?.tls === 'auto' ? authorityFolder(folder, file.name) : null;
  const ownFiles = authority === null ? null : filesOfHost(authority, ids[0] ?? '');
  const spec: Spec = {
    name: file.name,
    mirror: mirrorTopologyOf(file),
    laptop,
    hosts,
    runAs: file.runAs ?? usualUser,
    members: members.places,
    sentinels: sentinels.places,
    gates: gates.places.map((each) => ({ ...each, replicaPort: replicaPort(file.gate?.replicaPort, each) })),
    redis: redisSettings(file, members.places.length, folder),
    sentinel: sentinelSettings(file.sentinel ?? {}, sentinels.places.length),
    gate: gateSettings(file, folder),
    agent: agentSettings(file.agent ?? {}, folder, ownFiles),
    security: { ...securityOf(file.security ?? {}, folder, ownFiles), authority },
    backup: file.backup ? backupOf(file.backup, members.places.length) : null,
    mirrors: mirrorsOf(file, 'stream').map((entry) => mirrorOf(entry, folder)),
  };
  return { spec, problems: [...members.problems, ...sentinels.problems, ...gates.problems] };
}

/** The gate's default port: 6380, or the first above it where neither door meets a member or a Sentinel. */
function freeDoor(taken: readonly number[]): number {
  let port = 6380;
  while (taken.includes(port) || taken.includes(port + 1)) port += 1;
  return port;
}

const laptopHost: Host = { id: 'local', address: '127.0.0.1', bind: null, ssh: null };

type Section<Name extends keyof SpecFile> = NonNullable<SpecFile[Name]>;

function hostOf([id, host]: [string, Section<'hosts'>[string]]): Host {
  return {
    id,
    address: host.address,
    bind: host.bind === undefined ? null : listOf(host.bind),
    ssh: host.ssh ?? null,
  };
}

function replicaPort(wanted: number | 'none' | undefined, gate: Place): number | null {
  if (wanted === 'none') return null;
  return wanted ?? gate.port + 1;
}

function mirrorTopologyOf({ topology, mirror }: SpecFile): MirrorTopology | null {
  if (topology !== 'mirror') return null;
  return { ack: mirror?.ack ?? 'one', read: mirror?.read ?? 'local', onSplit: mirror?.onSplit ?? 'refuse' };
}

function redisSettings(whole: SpecFile, members: number, folder: string): RedisSettings {
  const file = whole.redis ?? {};
  const usualMinimum = members >= 3 && whole.topology !== 'mirror' ? 1 : 0;
  const persistence = file.persistence ?? 'aof-everysec';
  const save = file.save ?? (persistence === 'none' ? [] : defaultSave);
  return {
    engine: file.engine ?? null,
    // Without a slash it is a name, which is looked for on the PATH.
    binary: file.binary?.includes('/') ? path.resolve(folder, file.binary) : (file.binary ?? null),
    version: file.version ?? null,
    maxMemoryBytes: file.maxMemory === undefined ? null : bytes(file.maxMemory),
    maxMemoryPolicy: file.maxMemoryPolicy ?? 'noeviction',
    persistence,
    save: save.map(savePoint),
    minReplicasToWrite: file.minReplicasToWrite ?? usualMinimum,
    minReplicasMaxLagMs: ms(file.minReplicasMaxLag ?? '10s'),
    config: Object.fromEntries(
      Object.entries(file.config ?? {}).map(([name, value]) => [
        name.toLowerCase(),
        listOf<ConfigValue>(value),
      ]),
    ),
  };
}

function sentinelSettings(file: Section<'sentinel'>, count: number): SentinelSettings {
  const detectAfterMs = ms(file.detectAfter ?? '3s');
  const usualTimeoutMs = Math.max(usualFailoverTimeoutMs, 2 * detectAfterMs);
  return {
    quorum: file.quorum ?? (count === 0 ? 0 : Math.floor(count / 2) + 1),
    detectAfterMs,
    failoverTimeoutMs: file.failoverTimeout === undefined ? usualTimeoutMs : ms(file.failoverTimeout),
  };
}

function gateSettings(whole: SpecFile, folder: string): GateSettings {
  const file = whole.gate ?? {};
  const limits = file.limits ?? {};
  return {
    kind: file.kind ?? 'gate',
    holdMs: ms(file.hold ?? '10s'),
    inflightWrites: file.inflightWrites ?? 'fail',
    durability:
      file.durability ?? ((mirrorTopologyOf(whole)?.ack ?? 'one') === 'one' ? 'async' : 'replicated'),
    workers: file.workers ?? 1,
    maxLagMs: ms(file.maxLag ?? '10s'),
    replicaFallback: file.replicaFallback ?? 'primary',
    statsPort: file.kind === 'haproxy' && file.statsPort !== 'none' ? (file.statsPort ?? 8404) : null,
    clientCertificates: file.clientCertificates ?? 'none',
    virtualAddress: virtualAddressOf(file.virtualAddress),
    limits: {
      maxClients: limits.maxClients ?? 10_000,
      maxHeldBytes: bytes(limits.maxHeld ?? '512mb'),
      maxBulkBytes: bytes(limits.maxBulk ?? '512mb'),
      maxReplyBytes: bytes(limits.maxReplies ?? '64mb'),
    },
    routes: Object.entries(file.routes ?? {}).map(([name, route]) => ({
      name,
      to: route.to,
      prefixes: route.prefixes,
      removePrefix: route.removePrefix ?? false,
      readsHere: route.readsHere ?? false,
      password: route.password ? sourceOf(route.password, folder) : null,
      ca: route.ca === undefined ? null : path.resolve(folder, route.ca),
      faults: (route.faults ?? []).map((fault) => ({
        delayMs: fault.delay === undefined ? 0 : ms(fault.delay),
        error: fault.error ?? null,
        percentage: fault.percentage ?? 100,
        commands: fault.commands ?? [],
      })),
    })),
    mirrors: requestMirrorsOf(whole, folder),
  };
}

function virtualAddressOf(file: Section<'gate'>['virtualAddress']): GateSettings['virtualAddress'] {
  if (file === undefined) return null;
  if (typeof file === 'string') return { address: file, device: null, router: usualRouter };
  return { address: file.address, device: file.interface ?? null, router: file.router ?? usualRouter };
}

function agentSettings(file: Section<'agent'>, folder: string, ownFiles: TlsFiles | null): AgentSettings {
  return {
    port: file.port ?? 7080,
    bind: listOf(file.bind ?? '127.0.0.1'),
    tls: tlsOf(file.tls, folder) ?? ownFiles,
    hangAfterMs: ms(file.hangAfter ?? '5s'),
    restarts: { limit: file.restarts?.limit ?? 5, withinMs: ms(file.restarts?.within ?? '1m') },
  };
}

function securityOf(
  file: Section<'security'>,
  folder: string,
  ownFiles: TlsFiles | null,
): Omit<Security, 'authority'> {
  return {
    users: Object.entries(file.users ?? {}).map(([name, user]) => ({
      name,
      password: sourceOf(user.password, folder),
      formerPassword: user.formerPassword ? sourceOf(user.formerPassword, folder) : null,
      acl: user.acl ?? defaultUserAcl,
    })),
    secret: file.secret ? sourceOf(file.secret, folder) : null,
    tls: file.tls === 'auto' ? ownFiles : tlsOf(file.tls, folder),
  };
}

function sourceOf(source: SecretSource, folder: string): SecretSource {
  return 'file' in source ? { file: path.resolve(folder, source.file) } : source;
}

/** A `tls` section with nothing in it means no TLS; a rule sees to it that it is all three files or none. */
function tlsOf(file: Section<'agent'>['tls'], folder: string): TlsFiles | null {
  const { cert, key, ca } = file ?? {};
  if (cert === undefined || key === undefined || ca === undefined) return null;
  return { cert: path.resolve(folder, cert), key: path.resolve(folder, key), ca: path.resolve(folder, ca) };
}

function backupOf(file: Section<'backup'>, members: number): Backup {
  const keep = file.keep ?? { daily: 7 };
  return {
    to: file.to,
    s3: {
      endpoint: file.endpoint ?? null,
      region: file.region ?? null,
      pathStyle: file.pathStyle ?? file.endpoint !== undefined,
      serverSideEncryption: file.serverSideEncryption ?? null,
      kmsKeyId: file.kmsKeyId ?? null,
    },
    compression: file.compression ?? 'none',
    recipients: file.encryption?.recipients ?? [],
    from: file.from ?? (members === 1 ? 'primary' : 'replica'),
    schedule: file.schedule ?? '0 2 * * *',
    timezone: file.timezone ?? 'UTC',
    keep: {
      hourly: keep.hourly ?? 0,
      daily: keep.daily ?? 0,
      weekly: keep.weekly ?? 0,
      monthly: keep.monthly ?? 0,
      maxAgeMs: keep.maxAge === undefined ? null : ms(keep.maxAge),
    },
    verify: file.verify ?? 'weekly',
  };
}

/** Those of a spec's mirrors that are kept in this way. */
function mirrorsOf({ mirrors }: SpecFile, how: 'stream' | 'requests') {
  return Object.entries(mirrors ?? {}).filter(([, mirror]) => (mirror.how ?? 'stream') === how);
}

function requestMirrorsOf(file: SpecFile, folder: string): RequestMirror[] {
  return mirrorsOf(file, 'requests').map((entry) => {
    const { maxRateBytes: _rate, queueBytes: _queue, ...mirror } = mirrorOf(entry, folder);
    const [, { writes, percentage }] = entry;
    return { ...mirror, copies: writes === 'all' ? 'all' : 'writes', percentage: percentage ?? 100 };
  });
}

function mirrorOf([name, file]: [string, Section<'mirrors'>[string]], folder: string): Mirror {
  return {
    name,
    to: file.to,
    password: file.password ? sourceOf(file.password, folder) : null,
    ca: file.ca === undefined ? null : path.resolve(folder, file.ca),
    prefixes: file.prefixes ?? [],
    queueBytes: bytes(file.queue ?? '1gb'),
    maxRateBytes: file.maxRate === undefined ? 0 : bytes(file.maxRate),
  };
}

function savePoint(text: string): SavePoint {
  const [seconds, changes] = text.split(' ').map(Number);
  return { seconds: seconds ?? 0, changes: changes ?? 0 };
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** The schema has checked the text; a size or duration that doesn't parse here is a bug. */
function ms(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new TypeError(`not a duration: ${text}`);
  return value;
}

function bytes(value: string | number): number {
  const size = typeof value === 'number' ? value : parseSize(value);
  if (size === undefined) throw new TypeError(`not a size: ${value}`);
  return size;
}
