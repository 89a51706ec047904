import type { Conversion } from './convert.ts';
import { Cursor } from './cursor.ts';
import { rdbError } from './errors.ts';
import { Fault } from './fault.ts';
import { type } from './format.ts';

/**
 * Writes a stream for an older server by leaving out what that one does not keep: when a consumer was last active
 * (before Redis 7.2); the first id, the greatest deleted id, the counts of entries added and read (before 7.0).
 * Those servers work without; entries, groups and what is pending stay as they are.
 */
export function downgradeStream(from: number, body: Buffer, to: number): Conversion {
  const cursor = new Cursor();
  cursor.append(body);
  try {
    return { type: to, body: Buffer.concat(new StreamCutter(cursor, from, to).cut()) };
  } catch (error) {
    throw error instanceof Fault ? rdbError(error) : error;
  }
}

/** Walks a stream and keeps the ranges that stay. */
class StreamCutter {
  private readonly cursor: Cursor;
  private readonly from: number;
  private readonly to: number;
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
    this.counts(3);
    const hasInfo = this.from !== type.streamListpacks;
    const keepsInfo = this.to !== type.streamListpacks;
    if (hasInfo) this.passing(keepsInfo, () => this.counts(5));
    for (let groups = this.count(); groups > 0; groups--) {
      this.string();
      this.counts(2);
      if (hasInfo) this.passing(keepsInfo, () => this.counts(1));
      for (let pending = this.count(); pending > 0; pending--) {
        this.bytes(24);
        this.count();
      }
      for (let consumers = this.count(); consumers > 0; consumers--) {
        this.string();
        this.bytes(8);
        if (this.from === type.streamListpacks3) this.passing(false, () => this.bytes(8));
        this.bytes(this.count() * 16);
      }
    }
    this.keep();
    return this.kept;
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
