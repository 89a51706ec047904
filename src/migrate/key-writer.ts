/** Writes what a source holds to the target: one RESTORE a key, or DEL; each is one step. */
import { describeSize } from '../base/size.ts';
import type { Target } from '../rdb/target.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import { describeEndpoint } from '../redis/endpoint.ts';
import type { Link } from '../redis/link.ts';
import { ReplyError } from '../resp/read.ts';
import { carry } from './carry.ts';
import { MigrateRefused } from './errors.ts';
import type { Held } from './key-source.ts';
import { linkForValues, pack, pieces } from './wire.ts';

/** What proto-max-bulk-len is unless somebody changed it. */
const usualLongest = 512 * 2 ** 20;
/** Refusals of a value; others are of the whole target. */
const ofTheValue = /Bad data format|DUMP payload version|checksum/i;

export class KeyWriter {
  readonly #link: Link;
  readonly #where: string;
  readonly #source: Target;
  readonly #target: Target;
  #longest = usualLongest;
  #db = 0;

  constructor(options: ConnectionOptions, source: Target, target: Target) {
    this.#where = describeEndpoint(options.endpoint);
    this.#source = source;
    this.#target = target;
    this.#link = linkForValues(options);
  }

  async begin(): Promise<void> {
    const [reply] = await this.#link.exchange([pack([['CONFIG', 'GET', 'proto-max-bulk-len']])], 1);
    const found = Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
    if (found > 0) this.#longest = found;
  }

  async select(db: number): Promise<void> {
    if (db !== this.#db) await this.#link.call(['SELECT', db]);
    this.#db = db;
  }

  /**
   * @returns for each key why it can't be there; null when it is.
   * @throws MIGRATE_REFUSED when the target takes nothing: no memory, no right, a replica.
   */
  async write(keys: readonly Buffer[], held: readonly Held[]): Promise<(string | null)[]> {
    const reasons: (string | null)[] = [];
    const requests: (string | Uint8Array)[][] = [];
    const asked: number[] = [];
    for (const [index, key] of keys.entries()) {
      const request = this.#requestFor(key, held[index] ?? null);
      reasons.push(typeof request === 'string' ? request : null);
      if (typeof request === 'string') continue;
      requests.push(request);
      asked.push(index);
    }
    if (requests.length === 0) return reasons;
    const replies = await this.#link.exchange(pieces(requests), requests.length);
    for (const [at, reply] of replies.entries()) {
      if (reply instanceof ReplyError) reasons[asked[at] as number] = this.#refusal(reply);
    }
    return reasons;
  }

  close(): void {
    this.#link.close();
  }

  #requestFor(key: Buffer, held: Held): (string | Uint8Array)[] | string {
    if (held === null) return ['DEL', key];
    const carried = carry(held.payload, this.#source, this.#target);
    if ('reason' in carried) return carried.reason;
    const { payload } = carried;
    if (payload.length > this.#longest) {
      return `it has ${describeSize(payload.length)}, and the target takes ${describeSize(this.#longest)} at most (proto-max-bulk-len)`;
    }
    // A TTL of 0 would be none: one that is about to expire has a millisecond left.
    const ttl = held.ttlMs < 0 ? 0 : Math.max(1, held.ttlMs);
    return ['RESTORE', key, String(ttl), payload, 'REPLACE'];
  }

  #refusal({ kind, text }: ReplyError): string {
    if (ofTheValue.test(text)) return `the target can't load it: ${text}`;
    const hint =
      kind === 'OOM'
        ? 'It has no memory left: `holdfast size` says how much the data needs. What is there stays; run it again with --replace.'
        : 'The user needs the rights to RESTORE and DEL on all keys, and the target must be a primary.';
    throw MigrateRefused(`${this.#where} takes no more: ${text}`, { hint });
  }
}
