import type { Crc64 } from './crc64.ts';
import { Cursor } from './cursor.ts';
import type { FileHeader, Flavor } from './format.ts';

/** Where a scan stands: the file's header, and all that is known of the key under way. */
export abstract class ScanState {
  readonly cursor = new Cursor();
  header: FileHeader = { flavor: 'redis', version: 0 };
  db = 0;
  type = 0;
  /** Milliseconds since 1970; -1 when the key does not expire. Beyond 2^53 it is the nearest number. */
  expireMs = -1;
  /** The same, exactly, as two halves; both -1 when the key does not expire. */
  expireHigh = -1;
  expireLow = -1;
  /** Seconds since the last use; -1 when the file does not say. */
  idle = -1;
  /** LFU counter, 0 to 255; -1 when the file does not say. */
  freq = -1;
  /** Modules keep something of it beside its value. */
  hasMetadata = false;
  /** Of a module's value or data: the type that wrote it. */
  moduleType = '';
  keyBuf: Buffer = Buffer.alloc(0);
  keyStart = 0;
  keyEnd = 0;
  /** Where the entry starts: its expiry, if it has one, else its type. In the file, and in the cursor's buffer. */
  entryOffset = 0;
  /** True when the value had no elements. Known at `end`, after check or decode. */
  isEmpty = false;
  /** What the file says wrote it: `redis 7.0.15`; empty when it does not say. */
  writtenBy = '';
  checksum: 'pending' | 'matches' | 'absent' | 'ignored' = 'pending';

  get flavor(): Flavor {
    return this.header.flavor;
  }

  /** The key under way as a copy, for those who keep it. */
  copyKey(): Buffer {
    return Buffer.from(this.keyBuf.subarray(this.keyStart, this.keyEnd));
  }

  /** Bytes of the RDB that have been read. */
  get offset(): number {
    return Math.min(this.cursor.offset, this.cursor.base + this.cursor.end);
  }

  /**
   * The checksum of a range of the buffer at hand, started at 0, so that bytes that are copied are summed up only
   * once. Undefined when it cannot tell: the range was passed already, or no checksum is wanted.
   */
  abstract sumRange(buf: Buffer, from: number, to: number): Crc64 | undefined;
}
