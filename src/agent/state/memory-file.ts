/**
 * What the agent remembers of a member's data across deaths of both: the evidence for the newest-data rule of a
 * cold start, and for the empty-primary guard. Written at once when the role changes, else every few seconds.
 */
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import type { Clock } from '../../base/clock.ts';
import { type DiskState, isStale, type MemberMemory } from '../../topology/cold-start.ts';
import type { MemberObservation } from '../observe/member-watch.ts';

/** What every version of the file has. */
type Kept = Omit<MemberMemory, 'unsavedChanges'>;

const writeEveryMs = 2000;

export class MemoryFile {
  readonly #file: string;
  readonly #clock: Clock;
  #memory: MemberMemory | null = null;
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  get memory(): MemberMemory | null {
    return this.#memory;
  }

  async load(): Promise<void> {
    const text = await readFileIfThere(this.#file);
    this.#memory =
      text === undefined
        ? null
        : { unsavedChanges: 0, ...(JSON.parse(text) as Partial<MemberMemory> & Kept) };
  }

  /** Keeps what a member just said. A member that is loading or syncing says nothing yet of its data. */
  async remember(seen: MemberObservation): Promise<void> {
    if (!seen.reachable || seen.busy || seen.role === null || seen.keys === null) return;
    if (seen.role === 'replica' && !seen.linkUp) return;
    const before = this.#memory;
    const roleChanged = before?.role !== seen.role;
    const unchanged = !roleChanged && before?.offset === seen.offset && before.keys === seen.keys;
    const tooSoon = this.#clock.monotonicMs() - this.#writtenMs < writeEveryMs;
    const emptied = (before?.keys ?? 0) > 0 !== seen.keys > 0;
    const saved = (before?.unsavedChanges ?? 0) > 0 !== seen.unsavedChanges > 0;
    if ((unchanged && !saved) || (!roleChanged && !emptied && !saved && tooSoon)) return;
    const nowMs = this.#clock.wallMs();
    this.#memory = {
      role: seen.role,
      primarySinceMs:
        seen.role === 'replica' ? null : roleChanged ? nowMs : (before?.primarySinceMs ?? nowMs),
      offset: seen.offset,
      replId: seen.replId,
      keys: seen.keys,
      unsavedChanges: seen.unsavedChanges,
      seenAtMs: nowMs,
    };
    this.#writtenMs = this.#clock.monotonicMs();
    await writeFileAtomic(this.#file, `${JSON.stringify(this.#memory)}\n`);
  }
}

/** Whether the files lack changes that the member was known to have. */
export function isDataStale(file: MemoryFile, disk: DiskState): boolean {
  return isStale(disk, file.memory);
}

/**
 * Whether the files still hold what the member had. Of one that was never seen, nobody knows what it had: its host
 * may have been rebuilt.
 */
export function isDataIntact(file: MemoryFile, disk: DiskState): boolean {
  return file.memory?.keys === 0 || disk.hasData;
}

/** What the member held when last seen, if its files still hold data; null when they don't or it was never seen. */
export function keptData(file: MemoryFile, disk: DiskState): { keys: number; history: string } | null {
  const { memory } = file;
  if (memory === null || memory.keys === 0 || !disk.hasData) return null;
  return { keys: memory.keys, history: memory.replId };
}
