/** What a stream reads: of a primary, as a replica reads it, or of something that has an end. Interface of the stream. */
import type { Place } from './position.ts';

export interface Snapshot {
  /** How many bytes will come; undefined when nobody can tell. */
  bytes: number | undefined;
  /** Must be read to its end before the commands are. A piece is valid until the one after the next is asked for. */
  data: AsyncIterable<Buffer>;
}

export interface Feed {
  /** Behind which the commands come. */
  readonly place: Place;
  /** Undefined when there is none, or when it goes on from where we were. */
  readonly snapshot: Snapshot | undefined;
  /** What comes behind `place`. A piece is valid until the next is asked for. */
  commands(): AsyncIterable<Buffer>;
  /** The RDB ended in the piece that was given last, and this stands behind it: the first of the commands. */
  snapshotEnded(rest: Buffer): void;
  /** Everything up to there is applied: it need not be given again. Is told more often than what is said to the source. */
  noteApplied?(offset: number): void;
  /** Says how far everything is applied. */
  acknowledge(offset: number): void;
  /** Ends it: whoever reads gets this error. */
  fail(error: unknown): void;
  close(): void;
}

/** A source that has an end, such as files: when all of it is applied, the stream is over. */
export interface FiniteSource {
  kind: 'finite';
  /** For people. */
  name: string;
  /** @param place where to go on; null for everything. @throws STREAM_PLACE_LOST when it is not what it was any more */
  open(place: Place | null, signal: AbortSignal): Promise<Feed>;
}
