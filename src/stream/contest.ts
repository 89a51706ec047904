/**
 * Which keys of a copy stay as the target has them, by the rules `first` and `newest-expiry` (rdb/merge-input.ts). Only for
 * sources that are copied and not followed: what follows would be about a key that is not theirs.
 */
import type { OnConflict } from '../rdb/merge-input.ts';
import type { Request } from '../redis/link.ts';
import type { CopyBatch, DbKey, ExpiringKey } from './copy-batch.ts';
import type { TargetWriter } from './target-writer.ts';

/** The target tells how long a key lives, and what its clock says, each a moment apart. */
const momentMs = 5;

export class Contest {
  readonly #writer: TargetWriter;
  readonly #rule: OnConflict;
  /** Those that go in pieces, of which the rest is still to come. */
  readonly #leftOut = new Set<string>();

  constructor(writer: TargetWriter, rule: OnConflict) {
    this.#writer = writer;
    this.#rule = rule;
  }

  /** Behind `written`: what may be written of it, and how many keys may not; undefined when all of it may. */
  async without(batch: CopyBatch): Promise<{ batch: CopyBatch; leftOut: number } | undefined> {
    const lost = new Set<string>();
    for (const key of await this.#losers(batch.dbKeys())) lost.add(nameOf(key));
    for (const key of batch.begun) if (lost.has(nameOf(key))) this.#leftOut.add(nameOf(key));
    if (lost.size === 0 && this.#leftOut.size === 0) return undefined;
    const isLeftOut = (key: DbKey) => lost.has(nameOf(key)) || this.#leftOut.has(nameOf(key));
    return { batch: batch.without(isLeftOut), leftOut: lost.size };
  }

  async #losers(keys: readonly ExpiringKey[]): Promise<DbKey[]> {
    const { link } = this.#writer;
    const found: DbKey[] = [];
    for (const db of new Set(keys.map((each) => each.db))) {
      const its = keys.filter((each) => each.db === db);
      const asked = its.map(({ key }): Request => ['PTTL', key]);
      const [, time, ...ttls] = await link.callAll([['SELECT', db], ['TIME'], ...asked]);
      const [seconds, micros] = time as [string, string];
      const nowMs = Number(seconds) * 1000 + Number(micros) / 1000;
      for (const [index, each] of its.entries()) {
        const there = expiryThere(Number(ttls[index]), nowMs);
        if (there !== undefined && !winsOver(this.#rule, each.expireMs, there)) found.push(each);
      }
    }
    if (keys.length > 0) await link.call(['SELECT', 0]);
    return found;
  }
}

/** Undefined when the key is not there; -1 when it never expires. */
function expiryThere(ttlMs: number, nowMs: number): number | undefined {
  if (ttlMs === -2) return undefined;
  return ttlMs === -1 ? -1 : nowMs + ttlMs;
}

/** Whether a key that comes is taken instead of the one that is there; when each expires, -1 for never. Pure. */
export function winsOver(rule: OnConflict, comes: number, there: number): boolean {
  if (rule === 'last') return true;
  if (rule !== 'newest-expiry' || there === -1) return false;
  return comes === -1 || comes > there + momentMs;
}

function nameOf({ db, key }: DbKey): string {
  return `${db} ${key.toString('latin1')}`;
}
