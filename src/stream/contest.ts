/**
 * Which keys of a copy stay as the target has them, by the rules `first` and `newest-expiry` (rdb/merge-input.ts), with the same
 * outcome as where files are merged: to the ms, and of two that expire together the one that is there. Only for sources that are
 * copied and not followed: what follows would be about a key that is not theirs.
 *
 * When a key expires PEXPIRETIME says (Redis 7.0 and later). Before that it is known by what is left of it and by the server's
 * clock, which it tells a moment apart: then less than that moment is the same time.
 */
import type { OnConflict } from '../rdb/merge-input.ts';
import { refusalReply } from '../redis/errors.ts';
import type { Request } from '../redis/link.ts';
import type { CopyBatch, DbKey, ExpiringKey } from './copy-batch.ts';
import type { TargetWriter } from './target-writer.ts';

const momentMs = 5;

export class Contest {
  readonly #writer: TargetWriter;
  readonly #rule: OnConflict;
  /** Those that go in pieces, of which the rest is still to come. */
  readonly #leftOut = new Set<string>();
  #tellsExpiry = true;

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
    const slackMs = () => (this.#tellsExpiry ? 0 : momentMs);
    for (const db of new Set(keys.map((each) => each.db))) {
      const its = keys.filter((each) => each.db === db);
      const there = await this.#expiries(db, its);
      for (const [index, each] of its.entries()) {
        const expires = there[index] ?? gone;
        if (expires !== gone && !winsOver(this.#rule, each.expireMs, expires, slackMs())) found.push(each);
      }
    }
    if (keys.length > 0) await link.call(['SELECT', 0]);
    return found;
  }

  /** When each expires at the target, by its clock, in ms; -1 for never, `gone` when it is not there. */
  async #expiries(db: number, keys: readonly ExpiringKey[]): Promise<number[]> {
    const { link } = this.#writer;
    const ask = (command: string) => keys.map(({ key }): Request => [command, key]);
    if (this.#tellsExpiry) {
      try {
        const [, ...times] = await link.callAll([['SELECT', db], ...ask('PEXPIRETIME')]);
        return times.map(Number);
      } catch (error) {
        if (refusalReply(error) === undefined) throw error;
        this.#tellsExpiry = false;
      }
    }
    const [, time, ...ttls] = await link.callAll([['SELECT', db], ['TIME'], ...ask('PTTL')]);
    const [seconds, micros] = time as [string, string];
    const nowMs = Number(seconds) * 1000 + Number(micros) / 1000;
    return ttls.map((ttl) => (Number(ttl) < 0 ? Number(ttl) : nowMs + Number(ttl)));
  }
}

/** What PTTL and PEXPIRETIME answer of a key that is not there. */
const gone = -2;

/**
 * Whether a key that comes is taken instead of the one that is there; when each expires, -1 for never. Of two that expire
 * together, or never, the one that is there stays. Pure.
 * @param slackMs less than that apart they expire together
 */
export function winsOver(rule: OnConflict, comes: number, there: number, slackMs: number): boolean {
  if (rule === 'last') return true;
  if (rule !== 'newest-expiry' || there === -1) return false;
  return comes === -1 || comes > there + slackMs;
}

function nameOf({ db, key }: DbKey): string {
  return `${db} ${key.toString('latin1')}`;
}
