import type { Kind } from '../format.ts';
import type { PackedReader } from '../packed/packed-reader.ts';

/** One pending entry of a consumer group: delivered, not acknowledged. */
export interface PendingEntry {
  id: string;
  /** Milliseconds since 1970. */
  deliveredMs: bigint;
  deliveries: bigint;
}

export interface StreamConsumer {
  name: Buffer;
  seenMs: bigint;
  /** -1 when it never got an entry; undefined in files before RDB 11, which do not tell. */
  activeMs: bigint | undefined;
  /** Ids out of the group's pending entries. */
  pending: string[];
}

export interface StreamGroup {
  name: Buffer;
  lastId: string;
  /** Undefined in files before RDB 10, and -1 when the server does not know. */
  entriesRead: bigint | undefined;
  pending: PendingEntry[];
  consumers: StreamConsumer[];
}

export interface StreamInfo {
  length: bigint;
  lastId: string;
  /** These three are undefined in files before RDB 10. */
  firstId: string | undefined;
  maxDeletedId: string | undefined;
  entriesAdded: bigint | undefined;
}

/** What Redis 8.6 remembers of producers, so that an entry sent twice is added once. */
export interface StreamIdempotence {
  /** How long ids are kept, and how many of each producer. */
  seconds: bigint;
  maxIds: bigint;
  /** The ids that a producer gave, and the entry that each made. */
  producers: { name: Buffer; ids: { id: Buffer; entry: string }[] }[];
  /** How many ids there ever were, and how many that had come before. */
  added: bigint;
  duplicates: bigint;
}

/**
 * Is told the elements of one value after the other, in the order of the file. Buffers are valid only during the
 * call.
 *
 * - string: one `text`. list, set: a `text` each.
 * - hash: `text` for the field, `text` for the value; then `fieldExpiry` in hashes that have field expiry.
 * - zset: `text`, then `score`.
 * - stream: `streamEntry`, then `text` for each field and value; after the entries `streamInfo`, `streamGroup`,
 *   and from Redis 8.6 `streamIdempotence`.
 * - module: `moduleValue`; then, for those who ask for them, the integers, strings and numbers that it stored, in order.
 */
export interface ValueVisitor {
  /** @param count elements, fields or members, when the file tells; else -1. */
  begin(kind: Kind, count: number): void;
  text(buf: Buffer, start: number, end: number): void;
  /**
   * In place of `text` for each: all elements of a packed value that is no sorted set, for those who are faster when
   * they take one after the other themselves. Returns how many there were.
   */
  allTexts?(elements: PackedReader): number;
  score(value: number): void;
  /** In place of `score`, for those who pass on the text of a score where the file has one. */
  scoreText?(buf: Buffer, start: number, end: number): void;
  /** @param atMs milliseconds since 1970; undefined when this field does not expire. */
  fieldExpiry(atMs: bigint | undefined): void;
  /** @param ms and `seq`: the id's two parts. */
  streamEntry(id: string, fields: number, ms: bigint, seq: bigint): void;
  /** A node of the stream, before its entries: how many bytes it has unpacked, and the two parts of its id. */
  streamNode?(bytes: number, ms: bigint, seq: bigint): void;
  streamInfo(info: StreamInfo): void;
  streamGroup(group: StreamGroup): void;
  streamIdempotence?(found: StreamIdempotence): void;
  moduleValue(name: string, version: number): void;
  /** A whole number that a module stored, as its two halves. */
  moduleInteger?(high: number, low: number): void;
  /** A string that a module stored, unpacked, or the bytes of a float or a double. */
  moduleBytes?(buf: Buffer, start: number, end: number): void;
  end(): void;
}
