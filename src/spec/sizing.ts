import type { Spec } from './spec.ts';

/** Rules of thumb that rendering and `holdfast size` share. docs/sizing.md gives their sources. */

const mb = 2 ** 20;

/**
 * The replication backlog, in bytes: what a replica may miss and still catch up without copying everything. A tenth
 * of maxmemory, at least 64 MiB (some 10 minutes of 100 kB/s), at most 1 GiB.
 */
export function backlogBytes(maxMemoryBytes: number | null): number {
  return clamp(roundTo((maxMemoryBytes ?? 0) / 10, mb), 64 * mb, 1024 * mb);
}

/** How far a replica's output buffer may grow, in bytes, before the primary drops it: it must outlast a full copy. */
export function replicaBuffer(spec: Pick<Spec, 'redis'>): {
  hardBytes: number;
  softBytes: number;
  softSeconds: number;
} {
  const backlog = backlogBytes(spec.redis.maxMemoryBytes);
  return {
    hardBytes: Math.max(256 * mb, 2 * backlog),
    softBytes: Math.max(64 * mb, backlog),
    softSeconds: 60,
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function roundTo(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
