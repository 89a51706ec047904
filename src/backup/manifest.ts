/**
 * What is written beside each backup, last of all: a backup is there when its manifest is. The object is
 * `redis_2022-01-27T200000Z.rdb` (with `.zst` or `.gz` when compressed, and `.age` when encrypted), the manifest has
 * the backup's id and `.json`.
 */
export interface Manifest {
  /** Of this format; 1. */
  version: 1;
  /** `redis_2022-01-27T200000Z` */
  id: string;
  deployment: string;
  /** The object that holds the data. */
  object: string;
  /** Start and end, ISO 8601, UTC. */
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  /** The member it was taken from, and what that was then. */
  source: { member: string; address: string; port: number; role: 'primary' | 'replica' };
  /** `redis 7.0.15` or `valkey 8.0.1`, and holdfast's own version. */
  serverVersion: string;
  holdfastVersion: string;
  rdbVersion: number;
  /** Where in the replication stream the snapshot stands. */
  replicationId: string;
  replicationOffset: number;
  keys: number;
  databases: { db: number; keys: number; expiring: number }[];
  functions: number;
  /** A digest of all keys, values and expiries that does not depend on their order in the file. */
  dataDigest: string;
  /** Bytes and SHA-256 (hex) of the RDB, and of the object as it is stored. */
  rdb: { bytes: number; sha256: string };
  stored: { bytes: number; sha256: string };
  compression: 'none' | 'gzip' | 'zstd';
  encryption: 'none' | 'age';
  /** Why it was taken. */
  reason: 'manual' | 'schedule' | 'before-restore';
}
