import type { MemberVitals } from './member-vitals.ts';

/** Of maxmemory: from there on it is said, before the first write is refused. */
const almost = 0.95;

/**
 * That a server refuses writes for want of memory, or is about to; null while it does not. Without figures, which change
 * all the time: whoever is told of changes only is told once.
 */
export function fullMemory(id: string, vitals: MemberVitals | null, policy: string): string | null {
  if (vitals === null || vitals.maxMemoryBytes === 0 || policy !== 'noeviction') return null;
  if (vitals.usedMemoryBytes < almost * vitals.maxMemoryBytes) return null;
  const limit = `less than 5 % of its maxmemory (redis.maxMemory) is left to ${id}`;
  return `${limit}: with noeviction writes are refused (OOM) when it is full`;
}
