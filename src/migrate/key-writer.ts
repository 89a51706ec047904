/**
 * Writes what a source holds to the target: strings that don't expire by MSET, else one RESTORE, SET or DEL a key. Each of them
 * makes the whole value, so that one may be sent again of which nobody knows whether it was executed.
 */
import { pause } from '../base/retry.ts';
import { describeSize } from '../base/size.ts';
import type { Target } from '../rdb/target.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import { describeEndpoint } from '../redis/endpoint.ts';
import type { Link } from '../redis/link.ts';
import { ReplyError } from '../resp/read.ts';
import { ByteGatherer } from '../stream/byte-gatherer.ts';
import { carry } from './carry.ts';
import { MigrateRefused } from './errors.ts';
import { restoreTtl } from './expiry.ts';
import type { Held, HeldValue } from './key-source.ts';
import type { ComingValue } from './long/coming-value.ts';
import { passValue } from './long/pass-value.ts';
import { askTime, ServerClock } from './server-clock.ts';
import { type BothFacts, loadedBy } from './server-facts.ts';
import { linkForValues, longBytes, pack, pieces } from './wire.ts';

/** What proto-max-bulk-len is unless somebody changed it. */
const usualLongest = 512 * 2 ** 20;
/** The RDB version of servers that take a time instead of what is left, everywhere: SET does since Redis 6.2. */
const takesTimes = 10;
/** Of the commands for some hundred keys. */
const usualBytes = 64 * 1024;
/** Refusals of a value; others are of the whole target. */
const ofTheValue = /Bad data format|DUMP payload version|checksum/i;

/** What is refused, or not answered, while another server takes the target's place. */
const whileReplaced = new Set([
  ...['UNCERTAIN', 'NOPRIMARY', 'READONLY', 'LOADING', 'MASTERDOWN', 'NOREPLICAS'],
]);
const tries = 10;
const triedAgainAfterMs = 200;
const again = Symbol('to be written again');

/** `MSET` with a value stands for a pair, which goes out with others. */
type Request = readonly ['MSET', Buffer] | readonly [string, Buffer, ...(string | Buffer)[]];

interface Sent {
  /** Which keys they are for. */
  asked: number[];
  bytes: ByteGatherer;
}

export class KeyWriter {
  readonly #options: ConnectionOptions;
  readonly #link: Link;
  readonly #where: string;
  readonly #source: Target;
  readonly #target: Target;
  #longest = usualLongest;
  /** Unknown where it takes no times, or tells none. */
  readonly #clock = new ServerClock();
  #db = 0;
  /** Long values go one at a time: each costs the source memory for all of it. */
  #longBefore: Promise<unknown> = Promise.resolve();

  constructor(options: ConnectionOptions, { source, target }: BothFacts) {
    this.#options = options;
    this.#where = describeEndpoint(options.endpoint);
    this.#source = loadedBy(source);
    this.#target = loadedBy(target);
    this.#link = linkForValues(options);
  }

  async begin(): Promise<void> {
    const [reply] = await this.#link.exchange([pack([['CONFIG', 'GET', 'proto-max-bulk-len']])], 1);
    const found = Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
    if (found > 0) this.#longest = found;
    if (this.#target.version >= takesTimes) await this.#clock.look(this.#link);
  }

  async select(db: number): Promise<void> {
    if (db !== this.#db) await this.#link.call(['SELECT', db]);
    this.#db = db;
  }

  /**
   * @returns for each key why it can't be there; null when it is, and for those of which nothing is held.
   * @throws MIGRATE_REFUSED when the target takes nothing: no memory, no right, a replica.
   */
  async write(keys: readonly Buffer[], held: readonly Held[]): Promise<(string | null)[]> {
    const reasons = await this.#write(keys, held, 1);
    for (let turn = 2; reasons.includes(again); turn++) {
      await pause(triedAgainAfterMs);
      const left = reasons.flatMap((reason, index) => (reason === again ? [index] : []));
      const [theirKeys, theirs] = [left.map((at) => keys[at]!), left.map((at) => held[at] ?? null)];
      for (const [at, reason] of (await this.#write(theirKeys, theirs, turn)).entries())
        reasons[left[at]!] = reason;
    }
    return reasons as (string | null)[];
  }

  /**
   * @param open is asked again when it is to be written again. @returns as `write`. @throws as `write`, and what `open` throws
   */
  async writeLong(key: Buffer, open: () => Promise<ComingValue | null>): Promise<string | null> {
    const db = this.#db;
    const mine = this.#longBefore.catch(() => {}).then(() => this.#writeLong(key, db, open));
    this.#longBefore = mine;
    return await mine;
  }

  async #writeLong(key: Buffer, db: number, open: () => Promise<ComingValue | null>): Promise<string | null> {
    const rules = { source: this.#source, target: this.#target, longest: this.#longest };
    for (let turn = 1; ; turn++) {
      const value = await open();
      if (value === null) return (await this.write([key], [null]))[0] ?? null;
      const reply = await passValue(this.#options, db, key, value, rules).finally(value.close);
      if (typeof reply === 'object' && reply !== null && 'reason' in reply) return reply.reason;
      if (!(reply instanceof ReplyError)) return null;
      if (turn === tries || !whileReplaced.has(reply.kind)) return this.#refusal(reply);
      await pause(triedAgainAfterMs);
    }
  }

  async #write(
    keys: readonly Buffer[],
    held: readonly Held[],
    turn: number,
  ): Promise<(string | typeof again | null)[]> {
    const reasons = keys.map((): string | typeof again | null => null);
    const pairs: Sent = { asked: [], bytes: new ByteGatherer(usualBytes) };
    const commands: Sent = { asked: [], bytes: new ByteGatherer(usualBytes) };
    const long: { asked: number[]; pieces: Uint8Array[] } = { asked: [], pieces: [] };
    for (const [index, key] of keys.entries()) {
      const of = held[index] ?? null;
      if (of === 'long') continue;
      const request = this.#requestFor(key, of);
      if (typeof request === 'string') reasons[index] = request;
      else if (request[0] === 'MSET') {
        pairs.bytes.addBulk(key);
        pairs.bytes.addBulk(request[1]);
        pairs.asked.push(index);
      } else if (request.some((each) => each.length >= longBytes)) {
        long.pieces.push(...pieces([request]));
        long.asked.push(index);
      } else {
        commands.bytes.addCommand(request);
        commands.asked.push(index);
      }
    }
    const single = [...commands.asked, ...long.asked];
    const written: Uint8Array[] = [commands.bytes.slice(0, commands.bytes.length), ...long.pieces];
    const many = pairs.asked.length > 0 ? 1 : 0;
    if (many > 0) {
      const head = Buffer.from(`*${pairs.asked.length * 2 + 1}\r\n$4\r\nMSET\r\n`);
      written.unshift(head, pairs.bytes.slice(0, pairs.bytes.length));
    }
    if (single.length + many === 0) return reasons;
    const askedMs = performance.now();
    const replies = await this.#link.exchange([...written, askTime], single.length + many + 1);
    const time = replies.pop();
    if (this.#clock.isKnown) this.#clock.saw(askedMs, time);
    for (const [at, reply] of replies.entries()) {
      if (!(reply instanceof ReplyError)) continue;
      const mayPass = turn < tries && whileReplaced.has(reply.kind);
      const refusal = mayPass ? again : this.#refusal(reply);
      for (const index of at < many ? pairs.asked : [single[at - many]!]) reasons[index] = refusal;
    }
    return reasons;
  }

  close(): void {
    this.#link.close();
  }

  #requestFor(key: Buffer, held: HeldValue | null): Request | string {
    if (held === null) return ['DEL', key];
    const { expiry } = held;
    // What is left counts from when it is heard, which over a slow way is later.
    const at = expiry !== null && this.#clock.isKnown ? this.#at(expiry) : null;
    if ('text' in held.value) {
      const { text } = held.value;
      if (text.length > this.#longest) return this.#tooLong(text);
      if (expiry === null) return text.length < longBytes ? ['MSET', text] : ['SET', key, text];
      return at === null ? ['SET', key, text, 'PX', restoreTtl(expiry)] : ['SET', key, text, 'PXAT', at];
    }
    const carried = carry(held.value.payload, this.#source, this.#target);
    if ('reason' in carried) return carried.reason;
    const { payload } = carried;
    if (payload.length > this.#longest) return this.#tooLong(payload);
    if (at === null) return ['RESTORE', key, restoreTtl(expiry), payload, 'REPLACE'];
    return ['RESTORE', key, at, payload, 'REPLACE', 'ABSTTL'];
  }

  /** Of one that is about to expire a moment from now. */
  #at(expiry: number): string {
    return String(this.#clock.there(Math.max(expiry, performance.now() + 1)));
  }

  #tooLong({ length }: Buffer): string {
    return `it has ${describeSize(length)}, and the target takes ${describeSize(this.#longest)} at most (proto-max-bulk-len)`;
  }

  #refusal(reply: ReplyError): string {
    const { kind, text } = reply;
    if (ofTheValue.test(text)) return `the target can't load it: ${text}`;
    const hint =
      kind === 'OOM'
        ? 'It has no memory left: `holdfast size` says how much the data needs. What is there stays; run it again with --replace.'
        : 'The user needs the rights to RESTORE and DEL on all keys, and the target must be a primary.';
    throw MigrateRefused(`${this.#where} takes no more: ${text}`, { hint, cause: reply });
  }
}
