/**
 * From what a migration's sides are called to what can be connected to: passwords and authorities out of their files,
 * who is primary from Sentinels, a deployment out of its spec. One way for all verbs, so that each takes the same.
 */
import type { StoreOptions } from '../backup/s3-client.ts';
import type { Plan } from '../migrate/plan.ts';
import { primaryOf } from '../mirror/sides.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import { describeEndpoint, type Endpoint } from '../redis/endpoint.ts';
import { parseServerAddress } from '../redis/server-address.ts';
import { readAuthority, readTls } from '../redis/tls.ts';
import { defaultUserMode, loadSecrets } from '../spec/secrets.ts';
import { findSource, type SourceAddress } from '../stream/source-address.ts';
import type { TargetPlace } from '../stream/target-writer.ts';
import { clientCredentials } from './client-credentials.ts';
import { credentialsFrom } from './credentials.ts';
import { BadOption } from './errors.ts';
import { openTarget } from './target.ts';

/** What an address does not say. */
export interface AccessFiles {
  passwordFile?: string | null | undefined;
  sentinelPasswordFile?: string | null | undefined;
  /** Certificate of the authority for TLS, instead of the system's. */
  ca?: string | null | undefined;
}

interface DeploymentAccess {
  user?: string | null | undefined;
  /** Instead of the password that the deployment's secret gives. */
  passwordFile?: string | null | undefined;
  stateDir?: string | null | undefined;
}

/** @throws SERVER_ADDRESS_UNCLEAR, TLS_FILE_UNREADABLE, and BAD_OPTION for a password's file that can't be read */
export function sourceAddress(url: string, files: AccessFiles): SourceAddress {
  const named = parseServerAddress(url);
  const access = {
    credentials: credentialsFrom(named.username, files.passwordFile),
    tls: named.tls ? readAuthority(url, files.ca) : undefined,
  };
  if (named.kind === 'server') return { kind: 'server', ...named.at, ...access };
  if (named.name === undefined) {
    throw BadOption(`${url} names no primary`, { hint: 'Say sentinel://HOST:PORT/NAME.' });
  }
  const sentinelCredentials = credentialsFrom('', files.sentinelPasswordFile);
  return { kind: 'sentinel', sentinels: named.at, name: named.name, sentinelCredentials, ...access };
}

/** Of a server, of whoever is primary now, or of a deployment by its spec. @throws what the others here do */
export async function openSide(
  text: string,
  options: AccessFiles & { stateDir?: string | undefined },
): Promise<ConnectionOptions> {
  if (!text.includes('://')) return deploymentPlace(text, options);
  const { address: host, port, credentials, tls } = await findSource(sourceAddress(text, options));
  return { endpoint: { host, port }, credentials, tls };
}

export async function targetPlace(target: Plan['target']): Promise<TargetPlace & { name: string }> {
  if ('spec' in target) return deploymentPlace(target.spec, target);
  const address = sourceAddress(target.url, target);
  if (address.kind === 'sentinel') {
    throw BadOption(`--to ${target.url}: a target is one address that takes writes`, {
      hint: 'Name the server, or the read-write port of a gate or proxy before it.',
    });
  }
  const { address: host, port, credentials, tls } = address;
  return { name: target.url, endpoint: { host, port }, credentials, tls };
}

/** The same target, to be read as a replica reads it: a deployment's primary, as its Sentinels say. @throws as `targetPlace` */
export async function targetAsSource(target: Plan['target']): Promise<SourceAddress> {
  if (!('spec' in target)) return sourceAddress(target.url, target);
  const { spec, paths } = await openTarget(
    target.spec,
    target.stateDir === null ? {} : { stateDir: target.stateDir },
  );
  if (spec.sentinels.length === 0)
    throw BadOption(`${spec.name} has no Sentinels, which would say whom to read`, {
      hint: 'Name the member that leads: redis://host:port (holdfast status says which).',
    });
  return primaryOf(spec, await loadSecrets(spec, paths.secret));
}

/** Where buckets are: as the target's spec has it for its backups, else as the environment says. @throws as `targetPlace` */
export async function bucketsOf(target: Plan['target']): Promise<StoreOptions> {
  if (!('spec' in target)) return {};
  const { spec } = await openTarget(
    target.spec,
    target.stateDir === null ? {} : { stateDir: target.stateDir },
  );
  return spec.backup?.s3 ?? {};
}

/** Writes of a deployment go through its first gate, which follows the primary. */
async function deploymentPlace(file: string, { user, passwordFile, stateDir }: DeploymentAccess) {
  const { spec, paths } = await openTarget(file, stateDir ? { stateDir } : {});
  const gate = spec.gates[0];
  if (gate === undefined)
    throw BadOption(`${spec.name} has no gate`, { hint: 'Name its primary: redis://host:port.' });
  const endpoint: Endpoint = { host: gate.address, port: gate.port };
  const credentials = async () => {
    if (passwordFile) return credentialsFrom(user ?? '', passwordFile);
    if (defaultUserMode(spec) === 'open' && !user) return undefined;
    return clientCredentials(
      spec,
      await loadSecrets(spec, paths.secret),
      user ?? undefined,
      (names) =>
        `Where there is --user, say one of ${names}, who may write all keys; else redis://USER@${describeEndpoint(endpoint)} with a password file.`,
    );
  };
  const tls = await readTls(spec.security.tls);
  return { name: spec.name, endpoint, credentials: await credentials(), tls };
}
