import type { EntryCopier } from './copy.ts';
import type { KeyHash } from './key-hash.ts';
import type { KeyTable } from './key-table.ts';
import type { ScanState } from './scan-state.ts';

export interface BatchListener {
  /** A key, as a copy, that turned out to be in the table already. */
  known(db: number, key: Buffer): void;
  /** All that waited have been decided on. */
  flushed(): void;
}

/**
 * Entries of the buffer at hand that wait to be told whether their keys are new; those that are, are copied. A look
 * into a table of millions waits for memory. Thousands of them in a row, with nothing between them, wait side by
 * side: that halves what they take.
 */
export class MergeBatch {
  private readonly table: KeyTable;
  private readonly listener: BatchListener;
  private readonly hash: KeyHash;
  private copier: EntryCopier | undefined;
  private scanner: ScanState | undefined;
  private count = 0;
  private room = 0;
  private readonly keys: Buffer[] = [];
  private keyRanges = new Int32Array(0);
  private dbs = new Int32Array(0);
  private ranges = new Int32Array(0);
  private hashes = new Int32Array(0);
  private isNew = new Uint8Array(0);
  private lastIsNew = false;

  constructor(table: KeyTable, hash: KeyHash, listener: BatchListener) {
    this.table = table;
    this.hash = hash;
    this.listener = listener;
  }

  /** Takes note of the key at hand; its bytes come with `raw`. @param db the database it goes to. */
  add(scanner: ScanState, copier: EntryCopier, db: number): void {
    this.scanner = scanner;
    this.copier = copier;
    const index = this.count++;
    if (index === this.room) this.grow();
    this.keys[index] = scanner.keyBuf;
    this.keyRanges[index * 2] = scanner.keyStart;
    this.keyRanges[index * 2 + 1] = scanner.keyEnd;
    this.dbs[index] = db;
    this.ranges[index * 2] = 0;
    this.ranges[index * 2 + 1] = 0;
  }

  /** A piece of the entry that was added last. One that goes on from the buffer before has been decided on. */
  raw(buf: Buffer, from: number, to: number): void {
    if (this.count > 0) {
      this.ranges[this.count * 2 - 2] = from;
      this.ranges[this.count * 2 - 1] = to;
    } else if (this.lastIsNew) {
      this.copier?.raw(buf, from, to);
    }
  }

  /** Decides on all that wait; to be called before their buffer changes, and before anything else is written. */
  flush(): void {
    const { count, table, hash, keys, keyRanges, dbs, ranges, hashes, isNew } = this;
    if (count === 0) return;
    for (let index = 0; index < count; index++) {
      hash.update(dbs[index]!, keys[index]!, keyRanges[index * 2]!, keyRanges[index * 2 + 1]!);
      hashes[index * 3] = hash.a;
      hashes[index * 3 + 1] = hash.b;
      hashes[index * 3 + 2] = hash.c;
    }
    for (let at = 0, index = 0; index < count; at += 3, index++) {
      isNew[index] = table.add(hashes[at]!, hashes[at + 1]!, hashes[at + 2]!) ? 1 : 0;
    }
    const { buf } = this.scanner!.cursor;
    const copier = this.copier!;
    for (let index = 0; index < count; index++) {
      if (isNew[index] === 1) {
        copier.copy(this.scanner!, dbs[index]!, buf, ranges[index * 2]!, ranges[index * 2 + 1]!);
      } else {
        const key = keys[index]!.subarray(keyRanges[index * 2], keyRanges[index * 2 + 1]);
        this.listener.known(dbs[index]!, Buffer.from(key));
      }
    }
    this.lastIsNew = isNew[count - 1] === 1;
    this.count = 0;
    this.listener.flushed();
  }

  private grow(): void {
    this.room = Math.max(1024, this.room * 2);
    this.keyRanges = larger(this.keyRanges, this.room * 2);
    this.dbs = larger(this.dbs, this.room);
    this.ranges = larger(this.ranges, this.room * 2);
    this.hashes = larger(this.hashes, this.room * 3);
    this.isNew = new Uint8Array(this.room);
  }
}

function larger(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const made = new Int32Array(length);
  made.set(old);
  return made;
}
