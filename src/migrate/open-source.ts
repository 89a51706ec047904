/** One server, or all primaries of the Redis Cluster that it belongs to. */
import type { Kind } from '../rdb/format.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import { ClusterReader, parseSlots } from './cluster-reader.ts';
import { KeyReader } from './key-reader.ts';
import type { KeySource } from './key-source.ts';
import { OfTypes } from './scan/of-types.ts';
import { pack } from './wire.ts';

/**
 * @param types of which keys count; all, if empty.
 * @throws REDIS_UNREACHABLE, REDIS_REFUSED for a wrong password.
 */
export async function openSource(
  options: ConnectionOptions,
  types: readonly Kind[] = [],
): Promise<KeySource> {
  const source = await openWhole(options);
  return types.length === 0 ? source : new OfTypes(source, new Set(types));
}

async function openWhole(options: ConnectionOptions): Promise<KeySource> {
  const one = new KeyReader(options);
  try {
    await one.link.ready;
    // What has no cluster refuses this, in whatever words.
    const [reply] = await one.link.exchange([pack([['CLUSTER', 'SLOTS']])], 1);
    const slots = parseSlots(reply);
    if (slots.length === 0) return one;
    one.close();
    return new ClusterReader(options, slots);
  } catch (error) {
    one.close();
    throw error;
  }
}
