import { formatDuration } from '../base/duration.ts';
import { formatSize } from '../base/size.ts';
import { authorityFiles } from './authority-files.ts';
import type { SpecFile } from './schema.ts';
import type {
  Backup,
  ConfigValue,
  Fault,
  GateRoute,
  Host,
  Keep,
  Mirror,
  Place,
  Spec,
  TlsFiles,
  VirtualAddress,
} from './spec.ts';
import { usualUser } from './usual-user.ts';

/**
 * A spec as a file again, with every default written out: `parseSpec` of it gives the same spec. For the ways to run a
 * deployment that need a spec of their own, such as containers with other addresses.
 */
export function specFileOf(spec: Spec): SpecFile {
  const places = (count: string, prefix: string, list: readonly Place[]) =>
    spec.laptop ? { [count]: list.length } : placesFile(prefix, list);
  const { redis, sentinel, agent } = spec;
  return {
    name: spec.name,
    ...(spec.laptop
      ? {}
      : { hosts: Object.fromEntries(spec.hosts.map((host) => [host.id, hostFile(host)])) }),
    ...(spec.runAs === usualUser ? {} : { runAs: spec.runAs }),
    ...(spec.mirror === null ? {} : { topology: 'mirror' as const, mirror: { ...spec.mirror } }),
    redis: {
      ...places('members', 'redis', spec.members),
      ...(redis.engine === null ? {} : { engine: redis.engine }),
      ...(redis.binary === null ? {} : { binary: redis.binary }),
      ...(redis.version === null ? {} : { version: redis.version }),
      port: firstPort(spec.members),
      ...(redis.maxMemoryBytes === null ? {} : { maxMemory: formatSize(redis.maxMemoryBytes) }),
      maxMemoryPolicy: redis.maxMemoryPolicy as NonNullable<SpecFile['redis']>['maxMemoryPolicy'],
      persistence: redis.persistence,
      save: redis.save.map(({ seconds, changes }) => `${seconds} ${changes}`),
      minReplicasToWrite: redis.minReplicasToWrite,
      ...(redis.minReplicasToWrite === 0
        ? {}
        : { minReplicasMaxLag: formatDuration(redis.minReplicasMaxLagMs) }),
      config: Object.fromEntries(
        Object.entries(redis.config).map(([name, values]) => [name, single(values)]),
      ),
    },
    sentinel: {
      ...(spec.sentinels.length === 0
        ? { count: 0 }
        : {
            ...places('count', 'sentinel', spec.sentinels),
            port: firstPort(spec.sentinels),
            quorum: sentinel.quorum,
          }),
      detectAfter: formatDuration(sentinel.detectAfterMs),
      failoverTimeout: formatDuration(sentinel.failoverTimeoutMs),
    },
    gate: gateFile(spec),
    agent: {
      port: agent.port,
      bind: [...agent.bind],
      ...(agent.tls === null || isOwn(spec, agent.tls) ? {} : { tls: agent.tls }),
      hangAfter: formatDuration(agent.hangAfterMs),
      restarts: { limit: agent.restarts.limit, within: formatDuration(agent.restarts.withinMs) },
    },
    security: {
      users: Object.fromEntries(
        spec.security.users.map(({ name, password, formerPassword, acl }) => [
          name,
          { password, ...(formerPassword === null ? {} : { formerPassword }), acl },
        ]),
      ),
      ...(spec.security.secret === null ? {} : { secret: spec.security.secret }),
      ...(spec.security.tls === null
        ? {}
        : { tls: isOwn(spec, spec.security.tls) ? ('auto' as const) : spec.security.tls }),
    },
    ...(spec.backup === null ? {} : { backup: backupFile(spec.backup) }),
    ...(spec.mirrors.length + spec.gate.mirrors.length === 0 ? {} : { mirrors: mirrorsFile(spec) }),
  };
}

/** Whether the files are those of the deployment's own authority: it is the same folder for a spec of the same place. */
function isOwn({ security: { authority } }: Spec, { ca }: TlsFiles): boolean {
  return authority !== null && authorityFiles(authority).cert === ca;
}

/** Ids are written where they are not the usual ones. */
function placesFile(prefix: string, list: readonly Place[]): { on: string[]; ids?: string[] } {
  const ids = list.map(({ id }) => id);
  const usual =
    ids.every((id, index) => id === `${prefix}-${index + 1}`) &&
    !(prefix === 'sentinel' && ids.length % 2 === 0);
  return { on: list.map(({ host }) => host), ...(usual ? {} : { ids }) };
}

function hostFile({ address, bind, ssh }: Host): NonNullable<SpecFile['hosts']>[string] {
  return { address, ...(bind === null ? {} : { bind: [...bind] }), ...(ssh === null ? {} : { ssh }) };
}

function gateFile({ gate, gates, laptop, mirror }: Spec): SpecFile['gate'] {
  const [first] = gates;
  const own = gate.kind === 'gate';
  return {
    ...(laptop ? {} : placesFile('gate', gates)),
    kind: gate.kind,
    ...(first === undefined ? {} : { port: first.port, replicaPort: first.replicaPort ?? ('none' as const) }),
    ...(own ? { hold: formatDuration(gate.holdMs) } : { statsPort: gate.statsPort ?? ('none' as const) }),
    inflightWrites: gate.inflightWrites,
    // Of standalone members `mirror.ack` says it.
    ...(mirror === null ? { durability: gate.durability } : {}),
    workers: gate.workers,
    maxLag: formatDuration(gate.maxLagMs),
    replicaFallback: gate.replicaFallback,
    ...(gate.clientCertificates === 'none' ? {} : { clientCertificates: gate.clientCertificates }),
    ...(gate.virtualAddress === null ? {} : { virtualAddress: virtualAddressFile(gate.virtualAddress) }),
    limits: {
      maxClients: gate.limits.maxClients,
      maxHeld: formatSize(gate.limits.maxHeldBytes),
      maxBulk: formatSize(gate.limits.maxBulkBytes),
      maxReplies: formatSize(gate.limits.maxReplyBytes),
    },
    ...(gate.routes.length === 0
      ? {}
      : { routes: Object.fromEntries(gate.routes.map((route) => [route.name, routeFile(route)])) }),
  };
}

function routeFile({ to, prefixes, removePrefix, readsHere, password, ca, faults }: GateRoute) {
  return {
    to,
    prefixes: [...prefixes],
    ...(removePrefix ? { removePrefix } : {}),
    ...(readsHere ? { readsHere } : {}),
    ...(password === null ? {} : { password }),
    ...(ca === null ? {} : { ca }),
    ...(faults.length === 0 ? {} : { faults: faults.map(faultFile) }),
  };
}

function faultFile({ delayMs, error, percentage, commands }: Fault) {
  return {
    ...(delayMs === 0 ? {} : { delay: formatDuration(delayMs) }),
    ...(error === null ? {} : { error }),
    ...{ percentage, ...(commands.length === 0 ? {} : { commands: [...commands] }) },
  };
}

function virtualAddressFile({ address, device, router }: VirtualAddress) {
  return { address, ...(device === null ? {} : { interface: device }), router };
}

function backupFile({ s3, recipients, keep, ...rest }: Backup): NonNullable<SpecFile['backup']> {
  const written = Object.entries(s3).filter(([key, value]) => value !== null && key !== 'pathStyle');
  return {
    ...rest,
    ...Object.fromEntries(written),
    ...(rest.to.startsWith('s3://') ? { pathStyle: s3.pathStyle } : {}),
    ...(recipients.length === 0 ? {} : { encryption: { recipients: [...recipients] } }),
    keep: keepFile(keep),
  };
}

type MirrorFile = NonNullable<SpecFile['mirrors']>[string];

function mirrorsFile({ mirrors, gate }: Spec): Record<string, MirrorFile> {
  return Object.fromEntries([
    ...mirrors.map((mirror) => [
      mirror.name,
      {
        ...mirrorFile(mirror),
        queue: formatSize(mirror.queueBytes),
        ...(mirror.maxRateBytes === 0 ? {} : { maxRate: formatSize(mirror.maxRateBytes) }),
      },
    ]),
    ...gate.mirrors.map((mirror) => [
      mirror.name,
      {
        ...mirrorFile(mirror),
        how: 'requests',
        writes: mirror.copies === 'all' ? 'all' : true,
        percentage: mirror.percentage,
      },
    ]),
  ]);
}

function mirrorFile({ to, password, ca, prefixes }: Omit<Mirror, 'maxRateBytes' | 'queueBytes'>): MirrorFile {
  return {
    to,
    ...(password === null ? {} : { password }),
    ...(ca === null ? {} : { ca }),
    ...(prefixes.length === 0 ? {} : { prefixes: [...prefixes] }),
  };
}

function keepFile({ maxAgeMs, ...counts }: Keep) {
  return { ...counts, ...(maxAgeMs === null ? {} : { maxAge: formatDuration(maxAgeMs) }) };
}

function firstPort(places: readonly Place[]): number {
  return Math.min(...places.map(({ port }) => port));
}

function single(values: readonly ConfigValue[]): ConfigValue | ConfigValue[] {
  return values.length === 1 ? (values[0] as ConfigValue) : [...values];
}
