/** Keys of a source to a target, whatever each of them holds: a run of them as it is read, and what is long as it comes. */
import type { KeyMapping } from './key-mapping.ts';
import { type Expiries, heldBytes, type KeyRun, type KeySource } from './key-source.ts';
import type { KeyWriter } from './key-writer.ts';

export interface CarriedRun {
  /** For each key why it can't be there; null when it is. */
  reasons: (string | null)[];
  /** About how many bytes their values have. */
  bytes: number;
}

/** @param expiries `each`, if omitted @throws MIGRATE_REFUSED, REDIS_UNREACHABLE, REDIS_REFUSED */
export async function carryRun(
  source: KeySource,
  writer: KeyWriter,
  { keys, isLong }: KeyRun,
  mapping: KeyMapping,
  expiries?: Expiries,
): Promise<CarriedRun> {
  const names = mapping.targetKeys(keys);
  const held = isLong ? keys.map(() => 'long' as const) : await source.read(keys, expiries);
  const reasons = await writer.write(names, held);
  let bytes = held.reduce((sum, each) => sum + heldBytes(each), 0);
  for (const [index, key] of keys.entries()) {
    if (held[index] !== 'long') continue;
    reasons[index] = await writer.writeLong(names[index]!, async () => {
      const value = await source.open(key);
      bytes += value?.bytes ?? 0;
      return value;
    });
  }
  return { reasons, bytes };
}
