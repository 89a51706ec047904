/**
 * What a server holds under some keys, in few round trips and bounded memory: how long each value is comes first, where
 * the server tells; where it does not, few at a time.
 *
 * It has one connection, which ends for good when it breaks: another one would be in database 0.
 */
import type { ConnectionOptions } from '../redis/connection.ts';
import { describeEndpoint } from '../redis/endpoint.ts';
import { keyspaces, parseInfo } from '../redis/info.ts';
import type { Link } from '../redis/link.ts';
import type { ServerFacts } from '../redis/server-facts.ts';
import { OverlongReply, type Reply, ReplyError } from '../resp/read.ts';
import { isPositionKey } from '../stream/position.ts';
import { expiryIn } from './expiry.ts';
import { heldBytes as bytesOf, type Expiries, type Held, type KeyRun, type KeySource } from './key-source.ts';
import { type ComingValue, openValue } from './long/coming-value.ts';
import { askTime, ServerClock } from './server-clock.ts';
import { askFacts } from './server-facts.ts';
import { ShortValues } from './short-values.ts';
import { forEachKey, linkForValues, manyKeys, pack, unrefused } from './wire.ts';

const bytesAtATime = 8 * 2 ** 20;
/** Of one trip, whatever the server has said of lengths: what goes beyond is long. */
const heldBytes = 2 * bytesAtATime;
const keysOfUnknownLength = 16;
const triedEvery = 20;
const askKeyspace = pack([['INFO', 'keyspace']]);

export class KeyReader implements KeySource {
  readonly where: string;
  readonly link: Link;
  readonly #options: ConnectionOptions;
  #tellsLengths = true;
  /** Strings come by MGET, which costs the server a part of what a DUMP for each does. */
  #takesMany: boolean;
  /** Of what was read last, most were no strings: so many times it is not tried. */
  #othersFor = 0;
  #db = 0;
  readonly #shortValues = new ShortValues();
  readonly #clock = new ServerClock();
  #isMet = false;
  /** False as long as the server says that no key of the selected database does. */
  #anyExpires = false;

  /** @param ofCluster a node of a Redis Cluster, which takes no command for keys of several slots. */
  constructor(options: ConnectionOptions, ofCluster = false) {
    this.#takesMany = !ofCluster;
    this.where = describeEndpoint(options.endpoint);
    this.#options = options;
    this.link = linkForValues(options);
  }

  get primaries(): readonly ConnectionOptions[] {
    return [this.#options];
  }

  facts(): Promise<ServerFacts> {
    return askFacts(this.link, this.where);
  }

  async select(db: number): Promise<void> {
    // A Redis Cluster has one database and refuses even to select it on some services.
    if (db !== 0 || this.#db !== 0) await this.link.call(['SELECT', db]);
    if (db === this.#db) return;
    this.#db = db;
    this.#shortValues.forget();
    this.#anyExpires = false;
  }

  async *pages(count: number): AsyncGenerator<Buffer[]> {
    let cursor = '0';
    do {
      const reply = await this.link.call(['SCAN', cursor, 'COUNT', count], { raw: true });
      const [next, found] = reply as [Buffer, Buffer[]];
      cursor = next.toString();
      // How far a stream is, is nobody's data.
      const keys = found.filter((key) => !isPositionKey(key));
      if (keys.length > 0) yield keys;
    } while (cursor !== '0');
  }

  async randomKeys(count: number): Promise<Buffer[]> {
    const asked = pack(Array.from({ length: count }, () => ['RANDOMKEY']));
    const replies = unrefused(
      await this.link.exchange([asked], count, { raw: true }),
      this.where,
      'RANDOMKEY',
    );
    const keys = replies.filter((key) => Buffer.isBuffer(key)).filter((key) => !isPositionKey(key));
    return [...new Map(keys.map((key) => [key.toString('latin1'), key])).values()];
  }

  async exist(keys: readonly Buffer[]): Promise<boolean[]> {
    return unrefused(await this.existEach(keys), this.where, 'EXISTS').map((reply) => reply === 1);
  }

  existEach(keys: readonly Buffer[]): Promise<Reply[]> {
    return this.link.exchange([forEachKey(keys, [['EXISTS']])], keys.length);
  }

  async types(keys: readonly Buffer[]): Promise<string[]> {
    return unrefused(await this.typeEach(keys), this.where, 'TYPE').map(String);
  }

  typeEach(keys: readonly Buffer[]): Promise<Reply[]> {
    return this.link.exchange([forEachKey(keys, [['TYPE']])], keys.length);
  }

  async runs(keys: readonly Buffer[], areByChance = false): Promise<KeyRun[]> {
    return runsOf(keys, await this.lengths(keys, areByChance));
  }

  async read(keys: readonly Buffer[], expiries?: Expiries): Promise<Held[]> {
    return (await this.readEach(keys, expiries)).map((held) => {
      if (held instanceof ReplyError) unrefused([held], this.where, 'DUMP or PTTL');
      return held as Held;
    });
  }

  async open(key: Buffer): Promise<ComingValue | null> {
    const value = await this.openEach(key, false);
    if (value instanceof ReplyError) unrefused([value], this.where, 'DUMP or PTTL');
    return value as ComingValue | null;
  }

  /** The same, with what the server says instead where it refuses. */
  openEach(key: Buffer, isAsking: boolean): Promise<ComingValue | ReplyError | null> {
    return openValue(this.#options, this.#db, key, isAsking);
  }

  /** The same, with what the server says instead where it refuses. */
  async readEach(keys: readonly Buffer[], expiries: Expiries = 'each'): Promise<(Held | ReplyError)[]> {
    const found = await this.#readOnce(keys, expiries);
    for (const held of found)
      if (!(held instanceof ReplyError))
        this.#shortValues.saw(held === 'long' ? Number.POSITIVE_INFINITY : bytesOf(held));
    const passed = keys.flatMap((_, index) => (found[index] === 'long' ? [index] : []));
    if (passed.length < 2) return found;
    // Too much together is not too long each: now it is asked how long they are.
    const left = new Map(passed.map((index) => [keys[index]!, index]));
    for (const run of await this.runs([...left.keys()])) {
      if (run.isLong) continue;
      for (const [at, held] of (await this.#readOnce(run.keys, expiries)).entries())
        found[left.get(run.keys[at]!)!] = held;
    }
    return found;
  }

  async #readOnce(keys: readonly Buffer[], expiries: Expiries): Promise<(Held | ReplyError)[]> {
    if (!this.#takesMany || this.#othersFor > 0) {
      this.#othersFor--;
      return await this.#dump(keys, expiries);
    }
    const { values, ttls, saidMs } = await this.#valuesAndTtls(manyKeys('MGET', keys), 1, keys, expiries);
    const [texts] = values;
    if (texts instanceof OverlongReply) return keys.map(() => 'long');
    if (!Array.isArray(texts)) {
      // No right to it, or a proxy that divides keys among servers.
      this.#takesMany = false;
      return await this.#dump(keys, expiries);
    }
    const found = keys.map((_, index): Held | ReplyError =>
      heldOf(texts[index], ttls[index], 'text', saidMs),
    );
    // What is no string is answered as if it were not there.
    const others = keys.flatMap((_, index) => (texts[index] === null ? [index] : []));
    if (others.length === 0) return found;
    if (others.length > keys.length / 2) this.#othersFor = triedEvery;
    const theirs = others.map((index) => keys[index]!);
    for (const [at, held] of (await this.#dump(theirs, expiries)).entries()) found[others[at]!] = held;
    return found;
  }

  async #dump(keys: readonly Buffer[], expiries: Expiries): Promise<(Held | ReplyError)[]> {
    const asked = forEachKey(keys, [['DUMP']]);
    const { values, ttls, saidMs } = await this.#valuesAndTtls(asked, keys.length, keys, expiries);
    return keys.map((_, index) => heldOf(values[index], ttls[index], 'payload', saidMs));
  }

  /**
   * Of whoever is asked later it is known later: a key that has changed between is read again, or compared.
   * @returns when the server said what is left of them, by our clock
   */
  async #valuesAndTtls(
    asked: Buffer,
    count: number,
    keys: readonly Buffer[],
    expiries: Expiries,
  ): Promise<{ values: Reply[]; ttls: readonly Reply[]; saidMs: number }> {
    const askEach = () => [forEachKey(keys, [['PTTL']]), askTime];
    const raw = { raw: true, heldBytes };
    if (!this.#isMet) await this.#meet();
    const askedMs = performance.now();
    if (expiries === 'each' || this.#anyExpires) {
      const replies = await this.link.exchange([asked, ...askEach()], count + keys.length + 1, raw);
      const saidMs = this.#saidMs(askedMs, replies.pop());
      return { ttls: replies.splice(count), values: replies, saidMs };
    }
    const values = await this.link.exchange([asked, askKeyspace], count + 1, raw);
    this.#anyExpires = mayExpire(values.pop(), this.#db);
    if (!this.#anyExpires) return { values, ttls: keys.map(() => -1), saidMs: askedMs };
    const againMs = performance.now();
    const ttls = await this.link.exchange(askEach(), keys.length + 1);
    const saidMs = this.#saidMs(againMs, ttls.pop());
    return { values, ttls, saidMs };
  }

  async #meet(): Promise<void> {
    this.#isMet = true;
    await this.#clock.look(this.link);
  }

  /** Where it does not tell the time, now: it was not later. */
  #saidMs(askedMs: number, time: Reply | undefined): number {
    const serverMs = this.#clock.saw(askedMs, time);
    return serverMs === undefined ? performance.now() : this.#clock.here(serverMs);
  }

  /** One key that a node of a Redis Cluster has while its slot is on the way to it. */
  async readAsking(key: Buffer): Promise<Held | ReplyError> {
    const asked = pack([['ASKING'], ['DUMP', key], ['ASKING'], ['PTTL', key]]);
    const [, payload, , ttl] = await this.link.exchange([asked], 4, { raw: true, heldBytes });
    return heldOf(payload, ttl, 'payload');
  }

  async typeAsking(key: Buffer): Promise<Reply> {
    const [, type = null] = await this.link.exchange([pack([['ASKING'], ['TYPE', key]])], 2);
    return type;
  }

  /** About how many bytes each value has; a guess where the server does not tell, or it need not be known. */
  async lengths(keys: readonly Buffer[], areByChance: boolean): Promise<number[]> {
    if (areByChance && this.#shortValues.areExpected) return keys.map(() => 0);
    if (this.#tellsLengths) {
      const asked = forEachKey(keys, [['MEMORY USAGE']]);
      const replies = await this.link.exchange([asked], keys.length);
      const refused = replies.find((reply) => reply instanceof ReplyError) as ReplyError | undefined;
      // One that moved away is not refused for good.
      if (refused === undefined || isRedirect(refused)) return replies.map((reply) => Number(reply) || 0);
      this.#tellsLengths = false;
    }
    return keys.map(() => bytesAtATime / keysOfUnknownLength);
  }

  async layout(): Promise<string> {
    return '';
  }

  close(): void {
    this.link.close();
  }
}

function heldOf(
  value: Reply | undefined,
  ttl: Reply | undefined,
  as: 'text' | 'payload',
  saidMs = performance.now(),
): Held | ReplyError {
  if (value instanceof OverlongReply) return 'long';
  if (value instanceof ReplyError) return value;
  if (ttl instanceof ReplyError) return ttl;
  // Between the two it may have expired.
  if (!Buffer.isBuffer(value) || ttl === -2) return null;
  return {
    value: as === 'text' ? { text: value } : { payload: value },
    expiry: expiryIn(Number(ttl), saidMs),
  };
}

/** @param keyspace what INFO says, or why it does not */
function mayExpire(keyspace: Reply | undefined, db: number): boolean {
  if (!Buffer.isBuffer(keyspace)) return true;
  const found = keyspaces(parseInfo(keyspace.toString())).find((each) => each.db === db);
  return found !== undefined && found.expiring > 0;
}

export function isRedirect({ kind }: ReplyError): boolean {
  return ['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN'].includes(kind);
}

export function runsOf(keys: readonly Buffer[], lengths: readonly number[]): KeyRun[] {
  const runs: KeyRun[] = [];
  let run: Buffer[] = [];
  let sum = 0;
  const close = () => {
    if (run.length > 0) runs.push({ keys: run, isLong: sum > bytesAtATime });
    run = [];
    sum = 0;
  };
  for (const [index, key] of keys.entries()) {
    const length = lengths[index] as number;
    if (sum + length > bytesAtATime) close();
    run.push(key);
    sum += length;
  }
  close();
  return runs;
}
