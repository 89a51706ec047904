/**
 * What the agent remembers of a member's data across deaths of both: the evidence for the newest-data rule of a
 * cold start, and for the empty-primary guard. Written at once when the role changes, else every few seconds.
 */
import { z } from 'zod';
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import type { Clock } from '../../base/clock.ts';
import { type DiskState, isStale, type LostData, type MemberMemory } from '../../topology/cold-start.ts';
import type { MemberObservation } from '../observe/member-watch.ts';
import { readNote } from './read-note.ts';

const schema = z.object({
  role: z.enum(['primary', 'replica']),
  primarySinceMs: z.number().nullable(),
  offset: z.number(),
  replId: z.string(),
  keys: z.number(),
  /** Files of before it was counted lack it. */
  unsavedChanges: z.number().default(0),
  storeFails: z.boolean().default(false),
  seenAtMs: z.number(),
  lost: z.object({ keys: z.number(), seenAtMs: z.number() }).nullable().default(null),
});

const writeEveryMs = 2000;
/**
 * When nothing but the offset is another, and all is in its files: the Sentinels' hellos alone move it every two seconds, and it only
 * tells apart members whose files are of the same moment (topology/cold-start.ts).
 */
const offsetEveryMs = 15_000;

/** What a trouble with it is about. */
export function memoryOf(member: string): string {
  return `memory of ${member}`;
}

export class MemoryFile {
  readonly #file: string;
  readonly #clock: Clock;
  #memory: MemberMemory | null = null;
  #writtenMs = Number.NEGATIVE_INFINITY;
  #damage: Error | null = null;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  get memory(): MemberMemory | null {
    return this.#memory;
  }

  /** That the file can't be read, or null: then nobody knows what was in it, until it is written again. */
  get damage(): Error | null {
    return this.#damage;
  }

  async load(): Promise<void> {
    this.#memory = null;
    this.#damage = null;
    const text = await readFileIfThere(this.#file);
    if (text === undefined) return;
    try {
      this.#memory = readNote(text, schema, {
        file: this.#file,
        says: 'what is remembered of the member’s data',
        hint: 'It is written again once the member answers. Without it, which member has the newest data is told by the data files alone: remove it if that is good enough.',
      });
    } catch (error) {
      this.#damage = error as Error;
    }
  }

  /** It is started without the data that it had, and nobody else has any. @returns what is lost; null when it had nothing */
  noteLoss(): LostData | null {
    if (this.#memory === null || this.#memory.keys === 0) return null;
    const { keys, seenAtMs } = this.#memory;
    // An earlier loss that nobody has seen to counts more than the little that came since.
    const lost = this.#memory.lost ?? { keys, seenAtMs };
    this.#memory = { ...this.#memory, lost };
    this.#writtenMs = Number.NEGATIVE_INFINITY;
    return lost;
  }

  /** A person knows of the loss. */
  acceptLoss(): void {
    if (this.#memory !== null) this.#memory = { ...this.#memory, lost: null };
    this.#writtenMs = Number.NEGATIVE_INFINITY;
  }

  /** Keeps what a member just said. A member that is loading or syncing says nothing yet of its data. */
  async remember(seen: MemberObservation): Promise<void> {
    if (!seen.reachable || seen.busy || seen.role === null || seen.keys === null) return;
    if (seen.role === 'replica' && !seen.linkUp) return;
    const before = this.#memory;
    const roleChanged = before?.role !== seen.role;
    const unchanged = !roleChanged && before?.offset === seen.offset && before.keys === seen.keys;
    const isAtRest = before?.keys === seen.keys && seen.unsavedChanges === 0;
    const paceMs = isAtRest ? offsetEveryMs : writeEveryMs;
    const tooSoon = this.#clock.monotonicMs() - this.#writtenMs < paceMs;
    const emptied = (before?.keys ?? 0) > 0 !== seen.keys > 0;
    const lost = stillLost(before?.lost ?? null, seen);
    const found = lost === null && before !== null && before.lost !== null;
    const saved =
      (before?.unsavedChanges ?? 0) > 0 !== seen.unsavedChanges > 0 ||
      (before?.storeFails ?? false) !== seen.storeFails ||
      before?.replId !== seen.replId;
    const isWritten = this.#writtenMs !== Number.NEGATIVE_INFINITY;
    if (
      (unchanged && !saved && !found && isWritten) ||
      (!roleChanged && !emptied && !saved && !found && tooSoon)
    )
      return;
    const nowMs = this.#clock.wallMs();
    this.#memory = {
      role: seen.role,
      primarySinceMs:
        seen.role === 'replica' ? null : roleChanged ? nowMs : (before?.primarySinceMs ?? nowMs),
      offset: seen.offset,
      replId: seen.replId,
      keys: seen.keys,
      unsavedChanges: seen.unsavedChanges,
      storeFails: seen.storeFails,
      seenAtMs: nowMs,
      lost,
    };
    this.#writtenMs = this.#clock.monotonicMs();
    try {
      await writeFileAtomic(this.#file, `${JSON.stringify(this.#memory)}\n`);
    } catch (error) {
      // What was seen is not in the file: the next look tries again.
      this.#writtenMs = Number.NEGATIVE_INFINITY;
      throw error;
    }
    this.#damage = null;
  }
}

/** A sentence, with the ways out. */
export function lossText(member: string, { keys, seenAtMs }: LostData): string {
  const had = `${keys} ${keys === 1 ? 'key' : 'keys'} at ${new Date(seenAtMs).toISOString()}`;
  return `${member} was started without its data, and nobody else has it: it held ${had}. holdfast restore brings a backup back; holdfast restart ${member} --accept-data-loss says that it is known`;
}

/** A replica copies what there is; and what was lost is there again when as much is, as after a restore. */
function stillLost(lost: LostData | null, { role, keys }: MemberObservation): LostData | null {
  if (lost === null || role === 'replica' || (keys ?? 0) >= lost.keys) return null;
  return lost;
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
