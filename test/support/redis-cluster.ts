import type { Redis } from 'ioredis';
import { waitFor } from '../../src/base/retry.ts';
import { keySlot } from '../../src/rdb/slot.ts';
import { client, freePort, type Server, startRedis } from './redis-processes.ts';

export interface TestCluster {
  nodes: Server[];
  /** One for each node. */
  clients: Redis[];
  /** Which node has a key. */
  ownerOf(key: string): number;
  /** Gives a slot of one node to another one, key by key, as redis-cli does. */
  moveSlot(slot: number, from: number, to: number): Promise<void>;
}

const ranges = [
  [0, 5460],
  [5461, 10_922],
  [10_923, 16_383],
] as const;

/** A Redis Cluster of three primaries. */
export async function startCluster(options: string[] = []): Promise<TestCluster> {
  // The usual port of the bus, 10,000 above, is among those that the kernel gives to connections.
  const buses = [await freePort(), await freePort(), await freePort()];
  const settings = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', ...options];
  const nodes = await Promise.all(buses.map((bus) => startRedis([...settings, '--cluster-port', `${bus}`])));
  const clients = nodes.map(({ port }) => client(port));
  for (const [index, [first, last]] of ranges.entries()) {
    await clients[index]?.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    await clients[index]?.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    if (index > 0) await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', nodes[index]!.port, buses[index]!);
  }
  const joined = async () => {
    const infos = await Promise.all(clients.map((each) => each.cluster('INFO')));
    return infos.every((info) => info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3'));
  };
  await waitFor(joined, { what: 'the cluster', withinMs: 60_000 });
  const ownerOf = (key: string) => {
    const bytes = Buffer.from(key);
    const slot = keySlot(bytes, 0, bytes.length);
    return ranges.findIndex(([, last]) => slot <= last);
  };
  const moveSlot = async (slot: number, from: number, to: number) => {
    const [giving, taking] = [clients[from]!, clients[to]!];
    const [giver, taker] = [await giving.cluster('MYID'), await taking.cluster('MYID')] as [string, string];
    await taking.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', giver);
    await giving.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', taker);
    for (;;) {
      const keys = (await giving.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
      if (keys.length === 0) break;
      await giving.call('MIGRATE', '127.0.0.1', nodes[to]!.port, '', 0, 5000, 'KEYS', ...keys);
    }
    for (const each of [taking, giving]) await each.call('CLUSTER', 'SETSLOT', slot, 'NODE', taker);
  };
  return { nodes, clients, ownerOf, moveSlot };
}
