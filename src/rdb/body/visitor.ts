import type { Kind } from '../format.ts';
import type { PackedReader } from '../packed/packed-reader.ts';

/** One pending entry of a consumer group: delivered, not acknowledged. */
export interface PendingEntry {
  id: string;
  deliveredMs: number;
  deliveries: number;
}

export interface StreamConsumer {
  name: Buffer;
  seenMs: number;
  /** -1 when it never got an entry; undefined in files before RDB 11, which do not tell. */
  activeMs: number | undefined;
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

/**
 * Is told the elements of one value after the other, in the order of the file. Buffers are valid only during the
 * call.
 *
 * - string: one `text`. list, set: a `text` each.
 * - hash: `text` for the field, `text` for the value; then `fieldExpiry` in hashes that have field expiry.
 * - zset: `text`, then `score`.
 * - stream: `streamEntry`, then `text` for each field and value; after the entries `streamInfo`, `streamGroup`.
 * - module: `moduleValue` only; what is inside is the module's own affair.
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
  /** @param atMs milliseconds since 1970; 0 when this field does not expire. */
  fieldExpiry(atMs: number): void;
  streamEntry(id: string, fields: number): void;
  streamInfo(info: StreamInfo): void;
  streamGroup(group: StreamGroup): void;
  moduleValue(name: string, version: number): void;
  end(): void;
}
