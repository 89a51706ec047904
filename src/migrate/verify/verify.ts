/**
 * Compares what two servers hold, key by key: types, values whatever their encoding, and when keys expire. Every key of the
 * source is looked for at the target, and every key of the target at the source.
 *
 * While writes go on, a key may differ for the moment that a write takes from one to the other. So what differs is looked
 * at again, after longer and longer waits, before it counts.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { quoteKey } from '../../rdb/errors.ts';
import { ValueSum } from '../../rdb/value-sum.ts';
import type { ConnectionOptions } from '../../redis/connection.ts';
import type { ServerFacts } from '../../redis/server-facts.ts';
import { carryRun } from '../carry-keys.ts';
import { everyKey, type KeyMapping } from '../key-mapping.ts';
import { KeyReader } from '../key-reader.ts';
import type { KeyRun, KeySource } from '../key-source.ts';
import { KeyWriter } from '../key-writer.ts';
import { type ComingSum, sumOfComing } from '../long/sum-of-coming.ts';
import { type BothFacts, loadedBy } from '../server-facts.ts';
import { compareHeld, compareSums, type Finding, sumOf } from './compare-values.ts';

export interface VerifyOptions {
  source: KeySource;
  target: ConnectionOptions;
  /** So many keys of each side, at random; all of them when undefined. */
  sample?: number | undefined;
  /** Write the source's value over one that differs, and delete what only the target has. */
  repair: boolean;
  /** Repairs a key, for a target that is not written to: why it could not; null when it did, and the target soon has it. */
  repairWith?: (db: number, key: Buffer) => Promise<string | null>;
  /**
   * Where the target follows: until it has everything that the source has now. What differs is looked at once more behind that,
   * before it counts: a way that is slow makes a target late, and not wrong.
   */
  untilThere?: () => Promise<void>;
  /** Asked before each repair: why it must not be done; null when it may be. Always, if omitted. */
  whyNotRepaired?: () => Promise<string | null>;
  /** Which keys are compared. All, if omitted. */
  isCompared?: (key: Buffer) => boolean;
  /** Which keys, and what they are called at the target. All as they are, if omitted. */
  mapping?: KeyMapping;
  /** Whether what only the target has, in this database of it, is no difference. */
  keepExtra?: (targetDb: number) => boolean;
  /** How far apart two expiries may be, in ms. A second, if omitted. */
  toleranceMs?: number;
  /** What is too long to be held is passed over: to give it keeps a server busy. */
  passesLong?: boolean;
  onDifference: (difference: Difference) => void;
  onProgress: (looks: Looks) => void;
  signal: AbortSignal;
}

/** How many keys were gone through, and of how many: of the source, compared; of the target, looked for at the source. */
export interface Looks {
  source: number;
  ofSource: number;
  target: number;
  ofTarget: number;
}

export interface Difference extends Finding {
  db: number;
  key: Buffer;
  repaired: boolean;
  /** It changed at the source between any two looks: whether it would be the same at rest can't be said. */
  unsettled: boolean;
  /** Why it could not be repaired. */
  left?: string;
}

export interface VerifyResult {
  /** Keys of the source that were compared. */
  compared: number;
  /** Keys of the target that were looked for at the source. */
  lookedFor: number;
  differing: number;
  repaired: number;
  /** Keys that kept changing: none of `differing`. */
  unsettled: number;
}

interface Suspect extends Finding {
  key: Buffer;
  /** Of the source's value as it was then: its checksum. */
  seen: string;
}

const keysAtATime = 500;
const runsInFlight = 3;
const looksAgainAfterMs = [50, 250, 1000];
/** A key that changed between the last two looks says nothing yet; it is given so many more. */
const furtherLooks = 8;
const furtherLookAfterMs = 150;
/** More than these are settled before the next are looked at. */
const mostSuspects = 2000;

/** Of those that copy: what they take for the same is within a second for whoever compares later. */
export const closeMs = 500;

/** Leaves the source open. @throws MIGRATE_REFUSED, REDIS_REFUSED, REDIS_UNREACHABLE */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
  const target = new KeyReader(options.target);
  let writer: KeyWriter | undefined;
  try {
    const facts = { source: await options.source.facts(), target: await target.facts() };
    if (options.repair && options.repairWith === undefined) {
      writer = new KeyWriter(options.target, facts);
      await writer.begin();
    }
    return await new Verification(target, writer, facts, options).run();
  } finally {
    target.close();
    writer?.close();
  }
}

class Verification {
  readonly #source: KeySource;
  readonly #target: KeyReader;
  readonly #writer: KeyWriter | undefined;
  readonly #facts: BothFacts;
  readonly #options: VerifyOptions;
  readonly #mapping: KeyMapping;
  readonly #sum = new ValueSum();
  readonly #result: VerifyResult = { compared: 0, lookedFor: 0, differing: 0, repaired: 0, unsettled: 0 };
  readonly #looks: Looks = { source: 0, ofSource: 0, target: 0, ofTarget: 0 };
  #suspects: Suspect[] = [];
  #db = 0;

  constructor(target: KeyReader, writer: KeyWriter | undefined, facts: BothFacts, options: VerifyOptions) {
    this.#source = options.source;
    this.#target = target;
    this.#writer = writer;
    this.#facts = facts;
    this.#options = options;
    this.#mapping = options.mapping ?? everyKey;
  }

  async run(): Promise<VerifyResult> {
    const { source, target } = this.#facts;
    const mapping = this.#mapping;
    const databases = new Set([
      ...source.databases.map(({ db }) => db),
      ...target.databases.flatMap(({ db }) => mapping.sourceDbs(db)),
    ]);
    const inOrder = [...databases].toSorted((a, b) => a - b);
    const isLookedFor = (db: number) => this.#options.keepExtra?.(mapping.targetDb(db)) !== true;
    const sum = (counts: number[]) => counts.reduce((all, count) => all + this.#most(count), 0);
    this.#looks.ofSource = sum(inOrder.map((db) => keysIn(source, db)));
    this.#looks.ofTarget = sum(inOrder.filter(isLookedFor).map((db) => keysIn(target, mapping.targetDb(db))));
    for (const db of inOrder) {
      await this.#source.select(db);
      const targetDb = mapping.targetDb(db);
      await this.#target.select(targetDb);
      await this.#writer?.select(targetDb);
      this.#db = db;
      const compare = (keys: Buffer[]) => this.#compare(keys.filter(mapping.isCarried));
      await this.#through('source', compare, keysIn(source, db));
      if (isLookedFor(db)) {
        const lookFor = (keys: Buffer[]) => this.#lookFor(mapping.sourceKeys(keys));
        await this.#through('target', lookFor, keysIn(target, targetDb));
      }
      await this.#settle();
    }
    return this.#result;
  }

  /** All keys of a side, or some by chance; several trips are under way at a time. */
  async #through(
    which: 'source' | 'target',
    look: (keys: Buffer[]) => Promise<void>,
    total: number,
  ): Promise<void> {
    const side = which === 'source' ? this.#source : this.#target;
    const { sample, onProgress, signal, isCompared = () => true } = this.#options;
    const underWay = new Set<Promise<void>>();
    let first: { error: unknown } | undefined;
    try {
      for await (const page of sample === undefined
        ? side.pages(keysAtATime)
        : samples(side, sample, total)) {
        signal.throwIfAborted();
        if (first !== undefined) break;
        const going: Promise<void> = look(page.filter(isCompared))
          .catch((error: unknown) => {
            first ??= { error };
          })
          .finally(() => underWay.delete(going));
        underWay.add(going);
        if (underWay.size >= runsInFlight) await Promise.race(underWay);
        this.#looks[which] += page.length;
        onProgress({ ...this.#looks });
        if (this.#suspects.length > mostSuspects) {
          await Promise.all(underWay);
          if (first === undefined) await this.#settle();
        }
      }
    } finally {
      // Also of one that is broken off nothing more is asked: whoever comes next has the connection, and its database.
      await Promise.all(underWay);
    }
    if (first !== undefined) throw first.error;
  }

  #most(keys: number): number {
    return Math.min(keys, this.#options.sample ?? keys);
  }

  async #compare(keys: Buffer[]): Promise<void> {
    for (const run of await this.#source.runs(keys, true)) {
      this.#suspects.push(...(await this.#look(run)));
      this.#result.compared += run.keys.length;
    }
  }

  async #lookFor(keys: Buffer[]): Promise<void> {
    const there = await this.#source.exist(keys);
    for (const [index, key] of keys.entries()) {
      if (!there[index]) this.#suspects.push({ is: 'extra', how: 'only the target has it', key, seen: '' });
    }
    this.#result.lookedFor += keys.length;
  }

  /** Those of the keys that differ. */
  async #look({ keys, isLong }: KeyRun): Promise<Suspect[]> {
    const names = this.#mapping.targetKeys(keys);
    const [ours, theirs] = isLong
      ? [[], []]
      : await Promise.all([this.#source.read(keys), this.#target.read(names)]);
    const suspects: Suspect[] = [];
    for (const [index, key] of keys.entries()) {
      const held = isLong ? 'long' : (ours[index] ?? null);
      const other = isLong ? 'long' : (theirs[index] ?? null);
      if (held === 'long' || other === 'long') {
        if (this.#options.passesLong) continue;
        const suspect = await this.#lookAtLong(key, names[index]!);
        if (suspect !== null) suspects.push(suspect);
        continue;
      }
      const finding = compareHeld(held, other, this.#sum, this.#options.toleranceMs);
      if (finding !== null) suspects.push({ ...finding, key, seen: held === null ? '' : sumOf(held) });
    }
    return suspects;
  }

  /** The same of one key that is too long to be held, at a side at least. */
  async #lookAtLong(key: Buffer, name: Buffer): Promise<Suspect | null> {
    const { source, target } = this.#facts;
    const sumAt = async (side: KeySource, of: Buffer, facts: ServerFacts): Promise<ComingSum | null> => {
      const value = await side.open(of);
      if (value === null) return null;
      return await sumOfComing(value, loadedBy(facts).flavor, this.#sum).finally(value.close);
    };
    const [ours, theirs] = await Promise.all([
      sumAt(this.#source, key, source),
      sumAt(this.#target, name, target),
    ]);
    const finding = compareSums(ours, theirs, this.#options.toleranceMs);
    return finding === null ? null : { ...finding, key, seen: ours?.sum ?? '' };
  }

  /** Looks at the suspects again until each is the same, or was given every chance; the rest are differences. */
  async #settle(): Promise<void> {
    let suspects = [...new Map(this.#suspects.map((each) => [each.key.toString('latin1'), each])).values()];
    this.#suspects = [];
    for (const afterMs of looksAgainAfterMs) suspects = (await this.#lookAgain(suspects, afterMs)).differ;
    let moving = suspects;
    for (let look = 0; look < furtherLooks && moving.length > 0; look++) {
      const { differ, still } = await this.#lookAgain(moving, furtherLookAfterMs);
      const late = await this.#lookBehind(still);
      for (const { key, seen: _, ...finding } of late.still) await this.#conclude(key, finding);
      moving = [...differ.filter((each) => !still.includes(each)), ...late.moving];
    }
    this.#result.unsettled += moving.length;
    for (const { key, is, how } of moving) {
      this.#options.onDifference({ db: this.#db, key, is, how, repaired: false, unsettled: true });
    }
  }

  /** Looks once more when the target has all that there was. @returns those that are not what they were, and those that are */
  async #lookBehind(suspects: readonly Suspect[]): Promise<{ still: Suspect[]; moving: Suspect[] }> {
    const { untilThere } = this.#options;
    if (untilThere === undefined || suspects.length === 0) return { still: [...suspects], moving: [] };
    await untilThere();
    const { differ, still } = await this.#lookAgain(suspects, 0);
    return { still, moving: differ.filter((each) => !still.includes(each)) };
  }

  /** @returns those that differ, and of them those whose value at the source is what it was at the look before. */
  async #lookAgain(suspects: readonly Suspect[], afterMs: number) {
    if (suspects.length === 0) return { differ: [], still: [] };
    await wait(afterMs, undefined, { signal: this.#options.signal });
    const before = new Map(suspects.map(({ key, seen }) => [key.toString('latin1'), seen]));
    const differ: Suspect[] = [];
    for (const run of await this.#source.runs(suspects.map(({ key }) => key)))
      differ.push(...(await this.#look(run)));
    const still = differ.filter(({ key, seen }) => before.get(key.toString('latin1')) === seen);
    return { differ, still };
  }

  async #conclude(key: Buffer, finding: Finding): Promise<void> {
    this.#result.differing++;
    const base = { ...finding, db: this.#db, key, unsettled: false };
    if (!this.#options.repair) {
      this.#options.onDifference({ ...base, repaired: false });
      return;
    }
    const left = await this.#repair(key);
    if (left === null) this.#result.repaired++;
    this.#options.onDifference({ ...base, repaired: left === null, ...(left === null ? {} : { left }) });
  }

  /** Writes the source's value, and compares again. @returns why it still differs; null when it does not. */
  async #repair(key: Buffer): Promise<string | null> {
    const { whyNotRepaired, repairWith } = this.#options;
    const why = await whyNotRepaired?.();
    if (why) return why;
    const [run] = await this.#source.runs([key]);
    const reason = await (repairWith?.(this.#db, key) ?? this.#carry(run!));
    if (reason !== null) return reason;
    let [again] = await this.#look(run!);
    // What the target gets by another way is there in a moment.
    for (const afterMs of repairWith === undefined ? [] : looksAgainAfterMs)
      if (again !== undefined) [again] = (await this.#lookAgain([again], afterMs)).differ;
    return again === undefined ? null : `${quoteKey(key)} differs again: ${again.how}`;
  }

  async #carry(run: KeyRun): Promise<string | null> {
    const { reasons } = await carryRun(this.#source, this.#writer!, run, this.#mapping);
    return reasons[0] ?? null;
  }
}

function keysIn({ databases }: ServerFacts, db: number): number {
  return databases.find((each) => each.db === db)?.keys ?? 0;
}

async function* samples(side: KeySource, count: number, total: number): AsyncGenerator<Buffer[]> {
  for (let left = Math.min(count, total); left > 0; left -= keysAtATime) {
    const keys = await side.randomKeys(Math.min(left, keysAtATime));
    if (keys.length > 0) yield keys;
  }
}
