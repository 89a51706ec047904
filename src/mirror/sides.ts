/** From a mirror in the spec to what is connected to. */
import { createHash, createHmac } from 'node:crypto';
import { type Target, targetOfVersionText } from '../rdb/target.ts';
import { RedisConnection } from '../redis/connection.ts';
import type { Credentials } from '../redis/endpoint.ts';
import { parseInfo, productOf } from '../redis/info.ts';
import { parseServerAddress } from '../redis/server-address.ts';
import { readAuthority, readTls } from '../redis/tls.ts';
import { type OwnUser, ownUserName, readSecret, type Secrets } from '../spec/secrets.ts';
import type { Mirror, Spec } from '../spec/spec.ts';
import { copyName } from '../stream/copy-name.ts';
import { KeyPositions } from '../stream/key-positions.ts';
import type { SourceAddress } from '../stream/source-address.ts';
import type { TargetPlace } from '../stream/target-writer.ts';
import type { MirrorSides } from './mirror.ts';

const askMs = 5000;

/** @throws SECRET_UNAVAILABLE, TLS_FILE_UNREADABLE, SERVER_ADDRESS_UNCLEAR */
export async function mirrorSides(spec: Spec, mirror: Mirror, secrets: Secrets): Promise<MirrorSides> {
  return {
    name: mirror.name,
    id: streamId(spec, mirror, secrets),
    source: await primaryOf(spec, secrets),
    reader: credentialsOf('agent', secrets),
    target: targetOf(mirror),
    prefixes: mirror.prefixes,
    maxRate: mirror.maxRateBytes,
  };
}

/** Whoever is a deployment's primary, with a user who may PSYNC and ask INFO. @throws TLS_FILE_UNREADABLE */
export async function primaryOf(spec: Spec, secrets: Secrets): Promise<SourceAddress> {
  const { sentinelPassword } = secrets;
  return {
    kind: 'sentinel',
    sentinels: spec.sentinels.map(({ address, port }) => ({ address, port })),
    name: spec.name,
    credentials: credentialsOf('backup', secrets),
    sentinelCredentials:
      sentinelPassword === null ? undefined : { username: 'default', password: sentinelPassword },
    tls: await readTls(spec.security.tls),
  };
}

function credentialsOf(user: OwnUser, { own }: Secrets): Credentials {
  return { username: ownUserName(user), password: own[user] };
}

/** The copy, for whoever writes there or compares. @throws as `mirrorSides` */
export function targetOf(
  { name, to, password, ca }: Pick<Mirror, 'name' | 'to' | 'password' | 'ca'>,
  env = process.env,
): TargetPlace {
  const address = parseServerAddress(to.replace(/\/$/, ''));
  if (address.kind !== 'server') throw new TypeError(`the schema took ${to}`);
  const { at, username, tls } = address;
  return {
    endpoint: { host: at.address, port: at.port },
    clientName: copyName,
    credentials:
      password === null
        ? undefined
        : { username, password: readSecret(password, `mirrors.${name}.password`, env) },
    tls: tls ? readAuthority(`mirrors.${name}.ca`, ca) : undefined,
  };
}

/** Two deployments of one name do not take each other's place in a target. */
function streamId(spec: Spec, { name, prefixes }: Mirror, { root }: Secrets): string {
  const whose = createHmac('sha256', root)
    .update(`holdfast/1 ${spec.name} mirror`)
    .digest('hex')
    .slice(0, 12);
  if (prefixes.length === 0) return `mirror-${whose}-${name}`;
  // A copy of other keys is another copy.
  const keys = createHash('sha256').update(JSON.stringify(prefixes.toSorted())).digest('hex').slice(0, 8);
  return `mirror-${whose}-${name}-${keys}`;
}

/** What it can load, and which arguments of its commands are keys. @throws REDIS_UNREACHABLE, REDIS_REFUSED */
export async function askTarget(target: TargetPlace): Promise<{ loads: Target; positions: KeyPositions }> {
  const connection = new RedisConnection({ ...target, timeoutMs: askMs });
  try {
    const { name, version } = productOf(parseInfo(String(await connection.call('INFO', 'server'))));
    const positions = new KeyPositions(await connection.call('COMMAND'));
    return { loads: targetOfVersionText(`${name} ${version}`), positions };
  } finally {
    connection.close();
  }
}
