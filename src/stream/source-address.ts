/** Where a source is: at an address, or wherever its Sentinels say that the primary is now. */

import { errorText } from '../base/errors.ts';
import type { Address, Credentials, TlsMaterial } from '../redis/endpoint.ts';
import { isLockedOut } from '../redis/errors.ts';
import { SentinelClient } from '../redis/sentinel-client.ts';
import { StreamSourceNotReady } from './errors.ts';
import type { SourcePlace } from './source-reader.ts';

interface Access {
  credentials?: Credentials | undefined;
  tls?: TlsMaterial | undefined;
  /** The member that it is read for, by which the source lists us; undefined for nobody. */
  readsFor?: Address | undefined;
}

export type SourceAddress = Access &
  (
    | { kind: 'server'; address: string; port: number }
    | {
        kind: 'sentinel';
        sentinels: readonly { address: string; port: number }[];
        name: string;
        sentinelCredentials?: Credentials | undefined;
      }
  );

const askMs = 2000;

/** @throws STREAM_SOURCE_NOT_READY when no Sentinel answers */
export async function findSource(source: SourceAddress): Promise<SourcePlace> {
  const { credentials, tls, readsFor } = source;
  if (source.kind === 'server')
    return { address: source.address, port: source.port, credentials, tls, readsFor };
  const reasons: string[] = [];
  let areWeLockedOut = false;
  for (const { address: host, port } of source.sentinels) {
    const access = { credentials: source.sentinelCredentials, tls, timeoutMs: askMs };
    const sentinel = new SentinelClient({ endpoint: { host, port }, ...access }, source.name);
    try {
      const primary = await sentinel.primary();
      return { address: primary.address, port: primary.port, credentials, tls };
    } catch (error) {
      reasons.push(`${host}:${port}: ${errorText(error)}`);
      areWeLockedOut ||= isLockedOut(error);
    } finally {
      sentinel.close();
    }
  }
  throw StreamSourceNotReady(`no Sentinel says who is primary of ${source.name}: ${reasons.join('; ')}`, {
    hint: areWeLockedOut
      ? 'Sentinels have a password of their own, which is not that of the servers: --sentinel-password-file names a file with it.'
      : 'They are asked again. Check their addresses and the name that they know the primary by.',
  });
}

/** For people: without what is secret. */
export function describeSource(source: SourceAddress): string {
  if (source.kind === 'server') return `${source.address}:${source.port}`;
  return `${source.name} of ${source.sentinels.map(({ address, port }) => `${address}:${port}`).join(', ')}`;
}
