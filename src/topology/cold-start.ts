/**
 * Who starts as primary when nothing runs. The Sentinels' word is not enough then: they may name a member whose
 * disk is empty. The newest data wins:
 *
 * 1. Whoever has data on disk before whoever has none.
 * 2. Among those, who became primary last: only a primary accepts writes, so nobody has newer ones. Without an AOF
 *    that holds only if everything was saved: the last save of a replica may be newer than the primary's. So it is with an
 *    AOF that could not be written.
 * 3. Among the rest, whose data files were written last, then who had read furthest in the stream, then whom the
 *    Sentinels name, then the order of the spec.
 */

/** What an agent remembers of a member of its host across restarts. Wall-clock ms; offsets in bytes. */
export interface MemberMemory {
  role: 'primary' | 'replica';
  /** When it became primary; null for a replica. */
  primarySinceMs: number | null;
  offset: number;
  replId: string;
  keys: number;
  /** Without an AOF: changes since the last RDB was written; 0 with one. */
  unsavedChanges: number;
  /** Its AOF could not be written, as on a full disk: what it took then is in memory only, whatever the time of its files. */
  storeFails: boolean;
  seenAtMs: number;
  /** It was started without the data that it had, and nobody else had any: what that was. Null when nothing is missing. */
  lost: LostData | null;
}

/** How many keys there were when they were seen last, wall-clock ms. */
export interface LostData {
  keys: number;
  seenAtMs: number;
}

/** What lies in a member's data folder. */
export interface DiskState {
  /** An AOF or RDB that holds at least one key or command. */
  hasData: boolean;
  /** When the newest data file was written, wall-clock ms; 0 when there is none. */
  writtenAtMs: number;
}

export interface Candidate {
  id: string;
  disk: DiskState;
  memory: MemberMemory | null;
}

export interface ColdStart {
  primary: string;
  reason: string;
  /** Whether keys were known on some member whose files are now empty. */
  missing: string[];
}

/** Whether a member is known to have had changes that its files lack. */
export function isStale(disk: DiskState, memory: MemberMemory | null): boolean {
  if (memory === null) return false;
  return memory.storeFails || (memory.unsavedChanges > 0 && disk.writtenAtMs < memory.seenAtMs);
}

/** @param named whom the Sentinels' own files name, or null on the first start. */
export function chooseColdStart(candidates: readonly Candidate[], named: string | null): ColdStart {
  const missing = candidates
    .filter(({ disk, memory }) => !disk.hasData && (memory?.keys ?? 0) > 0)
    .map(({ id }) => id);
  const holders = candidates.filter(({ disk }) => disk.hasData);
  const first = candidates.find(({ id }) => id === named) ?? (candidates[0] as Candidate);
  if (holders.length === 0) return { primary: first.id, reason: 'no member has data yet', missing };
  const [newest] = holders.toSorted((a, b) => compareNewest(a, b, named)) as [Candidate];
  return { primary: newest.id, reason: explain(newest, holders, first, named), missing };
}

function compareNewest(a: Candidate, b: Candidate, named: string | null): number {
  return (
    wholeAsPrimarySinceMs(b) - wholeAsPrimarySinceMs(a) ||
    b.disk.writtenAtMs - a.disk.writtenAtMs ||
    (b.memory?.offset ?? 0) - (a.memory?.offset ?? 0) ||
    Number(b.id === named) - Number(a.id === named)
  );
}

function wholeAsPrimarySinceMs({ disk, memory }: Candidate): number {
  return isStale(disk, memory) ? 0 : (memory?.primarySinceMs ?? 0);
}

function explain(
  newest: Candidate,
  holders: readonly Candidate[],
  first: Candidate,
  named: string | null,
): string {
  if (holders.length === 1) return `only ${newest.id} has data on disk`;
  if (wholeAsPrimarySinceMs(newest) > 0) return `${newest.id} was the last primary and its data is on disk`;
  const stead = named !== null && first.id !== newest.id ? `, not ${first.id} that the Sentinels name` : '';
  return `${newest.id} has the newest data on disk${stead}`;
}
