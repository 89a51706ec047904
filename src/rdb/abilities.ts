/**
 * What servers keep and understand beyond plain values, by the release that brought it. Sources: src/rdb.h and
 * src/commands of Redis 6.2 to 8.6 and Valkey 7.2 to 9.1, `since` in their command tables.
 */
export type Product = 'redis' | 'valkey';
/** Major and minor. */
export type Release = readonly [major: number, minor: number];

interface Since {
  redis: Release;
  valkey: Release | undefined;
  /** For messages: who has it. */
  text: string;
}

const firstValkey: Release = [7, 2];

export const since = {
  /** HSET with several fields; HMSET before. */
  manyFields: { redis: [4, 0], valkey: firstValkey, text: 'Redis 4.0' },
  moduleValues: { redis: [4, 0], valkey: firstValkey, text: 'Redis 4.0' },
  streams: { redis: [5, 0], valkey: firstValkey, text: 'Redis 5.0' },
  /** Consumers that have nothing pending can be made. */
  createConsumer: { redis: [6, 2], valkey: firstValkey, text: 'Redis 6.2' },
  functions: { redis: [7, 0], valkey: firstValkey, text: 'Redis 7.0' },
  /** First and greatest deleted ids of streams, entries added and read. */
  streamCounts: { redis: [7, 0], valkey: firstValkey, text: 'Redis 7.0' },
  fieldExpiry: { redis: [7, 4], valkey: [9, 0], text: 'Redis 7.4 and Valkey 9.0' },
  vectorSets: { redis: [8, 0], valkey: undefined, text: 'Redis 8.0' },
  /** What is remembered of a stream's producers. */
  idempotence: { redis: [8, 6], valkey: undefined, text: 'Redis 8.6' },
} as const satisfies Record<string, Since>;

export type Ability = keyof typeof since;

export function releaseHas(ability: Ability, product: Product, [major, minor]: Release): boolean {
  const first: Release | undefined = since[ability][product];
  return first !== undefined && (major > first[0] || (major === first[0] && minor >= first[1]));
}
