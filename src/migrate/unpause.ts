import { findSource, type SourceAddress } from '../stream/source-address.ts';
import { connected } from './back/old-users.ts';
import { openSource } from './open-source.ts';

/**
 * Lets writers go on at a source, at each primary of a Redis Cluster, whoever has paused it.
 * @throws STREAM_SOURCE_NOT_READY, REDIS_UNREACHABLE, REDIS_REFUSED
 */
export async function unpause(source: SourceAddress): Promise<void> {
  const { address: host, port, credentials, tls } = await findSource(source);
  const opened = await openSource({ endpoint: { host, port }, credentials, tls });
  opened.close();
  for (const place of opened.primaries)
    await connected(place, async (server) => void (await server.call('CLIENT', 'UNPAUSE')));
}
