import type { StreamGroup, StreamIdempotence } from './visitor.ts';

/** Where in a stream's body its walk stands. */
export interface StreamState {
  groups: number;
  consumers: number;
  /** First id of the node under way. */
  ms: bigint;
  seq: bigint;
  /** The group under way, collected only when somebody is told of it. */
  group: StreamGroup;
  readonly idempotence: IdempotenceState;
}

export function newStreamState(): StreamState {
  const idempotence = newIdempotenceState();
  return { groups: 0, consumers: 0, ms: 0n, seq: 0n, group: newGroup(), idempotence };
}

export interface IdempotenceState {
  phase: number;
  producers: number;
  /** Collected only when somebody is told of it. */
  found: StreamIdempotence;
}

export function newIdempotenceState(): IdempotenceState {
  return { phase: 0, producers: 0, found: noIdempotence() };
}

export function noIdempotence(): StreamIdempotence {
  return { seconds: 0n, maxIds: 0n, producers: [], added: 0n, duplicates: 0n };
}

export function newGroup(): StreamGroup {
  return { name: Buffer.alloc(0), lastId: '0-0', entriesRead: undefined, pending: [], consumers: [] };
}
