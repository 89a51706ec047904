/** The two sides of a migration, as they are named: servers, what Sentinels watch, or a deployment through its gate. */
import { stateDirOf, statePaths } from '../agent/state/paths.ts';
import { readNamedFile } from '../base/private-file.ts';
import { parseSource } from '../init/source.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import type { Credentials } from '../redis/endpoint.ts';
import { SentinelClient } from '../redis/sentinel-client.ts';
import { readTls } from '../redis/tls.ts';
import { loadSpec } from '../spec/load.ts';
import { defaultUserMode, loadSecrets } from '../spec/secrets.ts';
import { credentialsFrom } from './credentials.ts';
import { BadOption } from './errors.ts';

export interface SideOptions {
  /** Overrides the user of an address. */
  passwordFile?: string | undefined;
  sentinelPasswordFile?: string | undefined;
  /** Certificate of the authority for TLS. */
  ca?: string | undefined;
  stateDir?: string | undefined;
}

/** @throws INIT_SOURCE_UNKNOWN, BAD_OPTION, SPEC_… for what is no such thing. */
export async function openSide(text: string, options: SideOptions): Promise<ConnectionOptions> {
  const source = parseSource([text]);
  if (source.kind === 'files') return deploymentSide(text, options);
  const credentials = credentialsFrom(source.username, options.passwordFile);
  const tls = source.tls ? (options.ca === undefined ? {} : { ca: readNamedFile(options.ca) }) : undefined;
  if (source.kind === 'server') {
    const { address: host, port } = source.at;
    return { endpoint: { host, port }, credentials, tls };
  }
  const { name } = source;
  if (name === undefined) {
    throw BadOption(`${text} names no primary`, { hint: 'Say sentinel://HOST:PORT/NAME.' });
  }
  const sentinelCredentials = credentialsFrom('', options.sentinelPasswordFile);
  let failure: unknown;
  for (const { address: host, port } of source.at) {
    const sentinel = new SentinelClient(
      { endpoint: { host, port }, credentials: sentinelCredentials, tls },
      name,
    );
    try {
      const primary = await sentinel.primary();
      return { endpoint: { host: primary.address, port: primary.port }, credentials, tls };
    } catch (error) {
      failure = error;
    } finally {
      sentinel.close();
    }
  }
  throw failure;
}

/** Through the gate, so that it stays the primary's data also over a failover. */
async function deploymentSide(file: string, options: SideOptions): Promise<ConnectionOptions> {
  const spec = await loadSpec(file);
  const [gate] = spec.gates;
  if (gate === undefined) {
    throw BadOption(`${file} has no gate`, { hint: 'Name the primary itself: redis://HOST:PORT.' });
  }
  const paths = statePaths(stateDirOf(spec.name, options.stateDir));
  let credentials: Credentials | undefined = credentialsFrom('', options.passwordFile);
  if (credentials === undefined && defaultUserMode(spec) !== 'open') {
    const { defaultPassword } = await loadSecrets(spec, paths.secret);
    if (defaultPassword === null) {
      throw BadOption(`${spec.name} lets nobody in without a name`, {
        hint: 'Name its gate, a user and a password file: redis://USER@HOST:PORT.',
      });
    }
    credentials = { username: 'default', password: defaultPassword };
  }
  const tls = await readTls(spec.security.tls);
  return { endpoint: { host: gate.address, port: gate.port }, credentials, ...(tls ? { tls } : {}) };
}
