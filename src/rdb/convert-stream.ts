import type { Conversion } from './conversion.ts';
import { Cursor } from './cursor.ts';
import { rdbError } from './errors.ts';
import { Fault } from './fault.ts';
import { type } from './format.ts';

/**
 * Writes a stream for another server by leaving out what that one does not keep: what is remembered of producers (before
 * Redis 8.6, and Valkey); when a consumer was last active (before Redis 7.2); the first id, the greatest deleted id, the
 * counts of entries added and read (before 7.0). Those servers work without; entries, groups and what is pending stay as
 * they are. What was left out and is more than its default is named.
 */
export function downgradeStream(from: number, body: Buffer, to: number): Conversion {
  const cursor = new Cursor();
  cursor.append(body);
  try {
    const cutter = new StreamCutter(cursor, from, to);
    const made = { type: to, body: Buffer.concat(cutter.cut()) };
    return cutter.without.size === 0 ? made : { ...made, without: [...cutter.without].join(', and ') };
  } catch (error) {
    throw error instanceof Fault ? rdbError(error) : error;
  }
}

/** Of seconds and of ids, in redis src/config.c. */
const defaultLimit = 100;
/** -1, SCG_INVALID_ENTRIES_READ in redis src/stream.h. */
const unknownCount = 2n ** 64n - 1n;

/** Walks a stream and keeps the ranges that stay. */
class StreamCutter {
  private readonly cursor: Cursor;
  private readonly from: number;
  private readonly to: number;
  readonly without = new Set<string>();
  private readonly kept: Buffer[] = [];
  private keptTo = 0;

  constructor(cursor: Cursor, from: number, to: number) {
    this.cursor = cursor;
    this.from = from;
    this.to = to;
  }

  cut(): Buffer[] {
    for (let nodes = this.count(); nodes > 0; nodes--) {
      this.string();
      this.string();
    }
    const length = this.count();
    this.counts(2);
    const hasInfo = this.from !== type.streamListpacks;
    const keepsInfo = this.to !== type.streamListpacks;
    if (hasInfo) this.passing(keepsInfo, () => this.infoCounts(keepsInfo, length));
    for (let groups = this.count(); groups > 0; groups--) {
      this.string();
      this.counts(2);
      if (hasInfo) this.passing(keepsInfo, () => this.entriesRead(keepsInfo));
      for (let pending = this.count(); pending > 0; pending--) {
        this.bytes(24);
        this.count();
      }
      for (let consumers = this.count(); consumers > 0; consumers--) {
        this.string();
        this.bytes(8);
        if (this.from >= type.streamListpacks3) {
          const keeps = this.to >= type.streamListpacks3;
          if (!keeps) this.without.add('when its consumers were last active');
          this.passing(keeps, () => this.bytes(8));
        }
        this.bytes(this.count() * 16);
      }
    }
    if (this.from === type.streamListpacks4) this.passing(this.to === this.from, () => this.idempotence());
    this.keep();
    return this.kept;
  }

  /** The first id follows from the entries, and so do the others unless some were deleted. */
  private infoCounts(stays: boolean, length: number): void {
    this.counts(2);
    const deleted = [this.count(), this.count()];
    const added = this.count();
    if (stays) return;
    if (deleted.some((part) => part > 0)) this.without.add('which of its entries were deleted');
    if (added !== length) this.without.add('how many entries it ever had');
  }

  private entriesRead(stays: boolean): void {
    this.count();
    const isKnown = this.cursor.bigLength !== unknownCount;
    if (!stays && isKnown) this.without.add('how many entries its groups have read');
  }

  private idempotence(): void {
    const limits = [this.count(), this.count()];
    let ids = 0;
    for (let producers = this.count(); producers > 0; producers--) {
      this.string();
      for (let left = this.count(); left > 0; left--) {
        this.string();
        this.counts(2);
        ids++;
      }
    }
    const totals = [this.count(), this.count()];
    const isDefault = limits.every((limit) => limit === defaultLimit);
    if (ids > 0 || !isDefault || totals.some((total) => total > 0)) {
      this.without.add('what it remembers of its producers');
    }
  }

  /** Passes over something, which stays or is left out. */
  private passing(stays: boolean, pass: () => void): void {
    if (!stays) this.keep();
    pass();
    if (!stays) this.keptTo = this.cursor.pos;
  }

  private keep(): void {
    this.kept.push(this.cursor.buf.subarray(this.keptTo, this.cursor.pos));
    this.keptTo = this.cursor.pos;
  }

  private count(): number {
    if (!this.cursor.readCount()) throw this.tooShort();
    return this.cursor.length;
  }

  private counts(times: number): void {
    for (let index = 0; index < times; index++) this.count();
  }

  private string(): void {
    if (!this.cursor.skipString() || this.cursor.pos > this.cursor.end) throw this.tooShort();
  }

  private bytes(count: number): void {
    if (!this.cursor.has(count)) throw this.tooShort();
    this.cursor.pos += count;
  }

  private tooShort(): Fault {
    return new Fault('truncated', 'the stream ends too early', this.cursor.offset);
  }
}
