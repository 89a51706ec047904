/** Reads back what a server holds of the keys that a drill wrote. */
import { RedisConnection } from '../redis/connection.ts';
import type { Listener } from '../testbed/listener.ts';
import type { Holdings, Ledger, WriteKind } from './ledger.ts';

const answerWithinMs = 10_000;

/** The keys of a ledger, by what they hold. */
export function keysOf({ writes, fleeting }: Pick<Ledger, 'writes' | 'fleeting'>): Map<string, WriteKind> {
  const passing = [...fleeting].map((key) => [key, 'string'] as const);
  return new Map([...passing, ...writes.map(({ key, kind }) => [key, kind] as const)]);
}

/** @throws REDIS_UNREACHABLE, REDIS_REFUSED */
export async function readBack(
  where: Omit<Listener, 'id' | 'to' | 'host'>,
  keys: Map<string, WriteKind>,
): Promise<Holdings> {
  const connection = new RedisConnection({ ...where, timeoutMs: answerWithinMs });
  const holdings: Holdings = { strings: new Map(), counters: new Map(), lists: new Map(), hashes: new Map() };
  try {
    for (const [key, kind] of keys) await readKey(connection, key, kind, holdings);
    return holdings;
  } finally {
    connection.close();
  }
}

async function readKey(connection: RedisConnection, key: string, kind: WriteKind, into: Holdings) {
  switch (kind) {
    case 'list':
      into.lists.set(key, (await connection.call('LRANGE', key, 0, -1)) as string[]);
      return;
    case 'hash': {
      const flat = (await connection.call('HGETALL', key)) as string[];
      const pairs = Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
      into.hashes.set(key, new Map(pairs as [string, string][]));
      return;
    }
    case 'counter':
      into.counters.set(key, Number((await connection.call('GET', key)) ?? 0));
      return;
    default:
      into.strings.set(key, (await connection.call('GET', key)) as string | null);
  }
}

/** Takes the drill's keys away. */
export async function removeKeys(where: Omit<Listener, 'id' | 'to' | 'host'>, keys: Iterable<string>) {
  const connection = new RedisConnection({ ...where, timeoutMs: answerWithinMs });
  try {
    for (const key of keys) await connection.call('UNLINK', key);
  } finally {
    connection.close();
  }
}

/** Keys that two servers hold differently. */
export function differingKeys(a: Holdings, b: Holdings): string[] {
  const differs = (key: string) =>
    JSON.stringify(contents(a, key)) !== JSON.stringify(contents(b, key)) ? [key] : [];
  const keys = [a.strings, a.counters, a.lists, a.hashes].flatMap((each) => [...each.keys()]);
  return keys.flatMap(differs);
}

function contents({ strings, counters, lists, hashes }: Holdings, key: string): unknown {
  const fields = hashes.get(key);
  // The order of a hash's fields is each server's own.
  const sorted = fields && [...fields].sort(([one], [other]) => (one < other ? -1 : 1));
  return [strings.get(key), counters.get(key), lists.get(key), sorted];
}
