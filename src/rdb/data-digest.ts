import { bodyMode } from './body/mode.ts';
import { kindsInOrder } from './diff-index.ts';
import { ValueDigest } from './digest.ts';
import { Fault } from './fault.ts';
import { typeInfo } from './format.ts';
import { bigintOf, putExact } from './int64.ts';
import { LongHash } from './long-hash.ts';
import type { BodyWish } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';

/**
 * One sum over all keys with their databases, types, values and expiries, and over the function libraries: 96 bits that
 * depend neither on the order of the keys nor on how values are encoded. Two servers that hold the same have the same,
 * whatever their version. It starts from a fixed secret, so that sums taken at different times can be compared: it
 * finds what went wrong, and not what somebody made to look right; the SHA-256 of the file is for that.
 *
 * Values are looked into, so the longest of them is held in memory while it passes.
 */
export class DataDigest {
  /** Of an algorithm: sums of different ones are not to be compared. */
  static readonly prefix = 'd2:';
  private readonly hash = new LongHash(Buffer.from('holdfast'));
  private readonly value = new CheckedDigest(this.hash);
  private readonly decode: BodyWish = { mode: bodyMode.decode, raw: undefined, visitor: this.value };
  private readonly record = Buffer.alloc(32);
  private readonly sum = new Int32Array(3);

  /** What is wished of the key's body. */
  key(scanner: ScanState): BodyWish {
    const { hash, record } = this;
    hash.update(scanner.db, scanner.keyBuf, scanner.keyStart, scanner.keyEnd);
    record.writeInt32LE(hash.a, 0);
    record.writeInt32LE(hash.b, 4);
    record.writeInt32LE(hash.c, 8);
    return this.decode;
  }

  end(scanner: ScanState): void {
    const { record, value } = this;
    record.writeInt32LE(value.low, 12);
    record.writeInt32LE(value.high, 16);
    record.writeInt32LE(kindsInOrder.indexOf(typeInfo(scanner.type, scanner.flavor)!.kind), 20);
    if (Number.isSafeInteger(scanner.expireMs)) record.writeDoubleLE(scanner.expireMs, 24);
    else putExact(record, 24, bigintOf(scanner.expireHigh, scanner.expireLow));
    this.add(record);
  }

  functionLibrary(code: Buffer): void {
    this.add(code);
  }

  toString(): string {
    const words = [...this.sum].map((word) => (word >>> 0).toString(16).padStart(8, '0'));
    return `${DataDigest.prefix}${words.join('')}`;
  }

  private add(bytes: Buffer): void {
    const { hash, sum } = this;
    hash.update(0, bytes, 0, bytes.length);
    sum[0]! += hash.a;
    sum[1]! += hash.b;
    sum[2]! += hash.c;
  }
}

/** Looking into a value checks it as well, but for this. */
class CheckedDigest extends ValueDigest {
  override score(value: number): void {
    if (Number.isNaN(value)) throw new Fault('corrupt', 'a score is not a number', 0);
    super.score(value);
  }
}
