import { createHash } from 'node:crypto';
import { addressKind } from '../spec/address.ts';
import { ownUserName, type Secrets } from '../spec/secrets.ts';
import type { Host, Member, SentinelPlace, Spec } from '../spec/spec.ts';
import { redisBind } from './redis-conf.ts';
import { directive } from './redis-quote.ts';
import { portLines } from './redis-tls.ts';

/**
 * sentinel.conf of one Sentinel. It names the replicas and the other Sentinels from the start: they would find each
 * other by themselves, but only after some seconds in which there is no quorum and nobody to promote. Sentinel rewrites
 * the file, and its folder must be writable.
 */
export interface SentinelConfInput {
  spec: Spec;
  sentinel: SentinelPlace;
  /** Absolute paths. An empty `logFile` means standard output. */
  paths: { dir: string; logFile: string };
  secrets: Secrets;
  /** Who is primary as far as is known. */
  primary: Member;
  /** The highest configuration epoch known of; 0 for a new deployment. */
  epoch?: number;
  /** By which Sentinels know one of them; `sentinelRunId` unless it ran before holdfast did. */
  runIdOf?: (sentinelId: string) => string;
}

export function renderSentinelConf(input: SentinelConfInput): string {
  const { spec, sentinel, paths, secrets, primary, epoch = 0 } = input;
  const { name } = spec;
  const runIdOf = input.runIdOf ?? ((id: string) => sentinelRunId(spec, id));
  const host = spec.hosts.find(({ id }) => id === sentinel.host) as Host;
  const replicas = spec.members.filter(({ id }) => id !== primary.id);
  const others = spec.sentinels.filter(({ id }) => id !== sentinel.id);
  const lines = [
    `# ${sentinel.id} of ${name}, made by holdfast. Sentinel rewrites this file: it is state from its first start on.`,
    ...portLines(sentinel.port, spec.security.tls),
    redisBind(host),
    directive('protected-mode', 'no'),
    directive('dir', paths.dir),
    directive('logfile', paths.logFile),
    directive('loglevel', 'notice'),
    directive('daemonize', 'no'),
    '',
    ...ownPassword(secrets),
    directive('sentinel', 'myid', runIdOf(sentinel.id)),
    ...hostnames(spec),
    directive('sentinel', 'announce-ip', sentinel.address),
    directive('sentinel', 'announce-port', sentinel.port),
    '# No client may have a Sentinel run scripts.',
    directive('sentinel', 'deny-scripts-reconfig', 'yes'),
    '',
    directive('sentinel', 'monitor', name, primary.address, primary.port, spec.sentinel.quorum),
    ...sentinelSettings(spec, secrets).flatMap(([option, value]) => [
      ...(option === 'parallel-syncs' ? whyParallel : []),
      directive('sentinel', option, name, value),
    ]),
    directive('sentinel', 'config-epoch', name, epoch),
    ...replicas.map(({ address, port }) => directive('sentinel', 'known-replica', name, address, port)),
    ...others.map(({ id, address, port }) =>
      directive('sentinel', 'known-sentinel', name, address, port, runIdOf(id)),
    ),
    directive('sentinel', 'current-epoch', epoch),
  ];
  return `${lines.join('\n')}\n`;
}

const whyParallel = [
  '# All replicas turn to a new primary at once: a partial copy from the backlog takes milliseconds, and',
  '# min-replicas-to-write waits for them.',
];

/**
 * What a Sentinel is told of the primary that it watches, in sentinel.conf or by SENTINEL SET: by its own names.
 */
export function sentinelSettings(spec: Spec, secrets: Secrets): [option: string, value: string | number][] {
  return [
    ['auth-user', ownUserName('sentinel')],
    ['auth-pass', secrets.own.sentinel],
    ['down-after-milliseconds', spec.sentinel.detectAfterMs],
    ['failover-timeout', spec.sentinel.failoverTimeoutMs],
    ['parallel-syncs', Math.max(1, spec.members.length - 1)],
  ];
}

/** 40 hex digits, the same wherever they are worked out: Sentinels know each other by them. */
export function sentinelRunId(spec: Pick<Spec, 'name'>, sentinelId: string): string {
  return createHash('sha1').update(`holdfast sentinel ${spec.name} ${sentinelId}`).digest('hex');
}

/** With requirepass alone, a Sentinel uses the same password towards the others (since 6.2: sentinel-pass). */
function ownPassword(secrets: Secrets): string[] {
  const { sentinelPassword, beside } = secrets;
  if (sentinelPassword === null) return [];
  return [
    ...(beside === null ? [] : [`user default ${sentinelUserRules(secrets).join(' ')}`]),
    '# One password for all who talk to the Sentinels, which also have it for each other.',
    directive('requirepass', sentinelPassword),
    directive('sentinel', 'sentinel-pass', sentinelPassword),
  ];
}

/** Who may talk to a Sentinel: whoever has its password, or the one beside it. In the words of ACL SETUSER and the file. */
export function sentinelUserRules({ sentinelPassword, beside }: Secrets): string[] {
  const passwords = [sentinelPassword, beside?.sentinelPassword ?? null];
  const digests = passwords.flatMap((each) =>
    each === null ? [] : [`#${createHash('sha256').update(each).digest('hex')}`],
  );
  return ['on', ...digests, '~*', '&*', '+@all'];
}

function hostnames({ hosts }: Spec): string[] {
  if (hosts.every(({ address }) => addressKind(address) === 'ip')) return [];
  return [
    directive('sentinel', 'resolve-hostnames', 'yes'),
    directive('sentinel', 'announce-hostnames', 'yes'),
  ];
}
