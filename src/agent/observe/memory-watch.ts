/** Tells when the primary of this host comes near its maxmemory, refuses writes, and has room again: once each time. */
import type { MemoryRoom } from '../../topology/view.ts';
import type { Deployment } from '../deployment.ts';
import type { EventKind } from '../state/event-kinds.ts';
import { memoryTrouble } from './memory-room.ts';

const everyMs = 500;
const kinds = { scarce: 'memory-scarce', full: 'memory-full' } as const satisfies Record<string, EventKind>;

/** What was told of one member. */
export class MemoryTale {
  #told: MemoryRoom['level'] = 'ample';

  /** @returns what is to be told. One that goes to and fro between scarce and full is told once. */
  next(level: MemoryRoom['level']): 'memory-scarce' | 'memory-full' | 'memory-freed' | null {
    if (level === this.#told || (level === 'scarce' && this.#told === 'full')) return null;
    this.#told = level;
    return level === 'ample' ? 'memory-freed' : kinds[level];
  }
}

export function watchMemory({ members, events }: Deployment): () => void {
  const tales = new Map<string, MemoryTale>();
  const timer = setInterval(() => {
    for (const { place, unit, watch } of members) {
      const { reachable, role, memory } = watch.seen;
      if (unit === null || !reachable || memory === null) continue;
      const tale = tales.get(place.id) ?? new MemoryTale();
      tales.set(place.id, tale);
      // Who is no primary any more refuses nothing any more.
      const kind = tale.next(role === 'primary' ? memory.level : 'ample');
      if (kind === null) continue;
      const freed = `${place.id} takes writes again, as far as its memory goes`;
      events.add(kind, place.id, kind === 'memory-freed' ? freed : memoryTrouble(place.id, memory));
    }
  }, everyMs);
  return () => clearInterval(timer);
}
