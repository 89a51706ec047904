import { bodyMode } from './body/mode.ts';
import type { StreamGroup, ValueVisitor } from './body/visitor.ts';
import { type Kind, type, typeInfo } from './format.ts';
import { bigintOf } from './int64.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';

/**
 * Estimates what each key takes in the memory of a 64-bit Redis 7 with jemalloc, from the structures in its source:
 * dict.h, quicklist.h, t_zset.c, listpack.c, sds.h, rax.h. Fragmentation, and what the server needs for itself, are
 * not in it. A value is taken to be stored as the file has it: packed stays packed.
 */
export interface KeyMemory {
  db: number;
  kind: Kind;
  encoding: string;
  /** With the key itself and its place in the tables of keys and expiries. */
  bytes: number;
  elements: number;
  /** Bytes of the longest element, field, value or member. */
  longest: number;
  /** Milliseconds since 1970. */
  expireMs: bigint | undefined;
}

const dictEntry = 24;
const bucket = 8;
const objectHead = 16;
const dictHead = 56;
const quicklistHead = 40;
const quicklistNode = 32;
const nodeBytes = 8192;
const listpackHead = 7;
/** A skip list's head has all 32 levels; a node has 1.33 of them on average. */
const skiplistHead = 16 + 32 + 640;
const skiplistNode = 24 + 16 * 1.33;
const streamHead = 64;
const groupHead = 40;
const consumerHead = 24;
const pendingEntry = 24;
/** A node of a radix tree, as the server itself reckons: a head and thirty pointers. */
const radixNode = 4 + 30 * 8;
const idBytes = 16;

/** What jemalloc, as Redis builds it, gives for a request. */
export function allocated(bytes: number): number {
  if (bytes <= 64) return Math.max(8, Math.ceil(bytes / 8) * 8);
  const power = 2 ** Math.floor(Math.log2(bytes - 1));
  const step = power / 4;
  return Math.ceil(bytes / step) * step;
}

function stringBytes(length: number): number {
  const head = length < 32 ? 1 : length < 256 ? 3 : length < 65_536 ? 5 : 9;
  return allocated(head + length + 1);
}

/** An element of a listpack, with the size behind it. */
function packedBytes(length: number): number {
  const size = length + (length < 64 ? 1 : length < 4096 ? 2 : 5);
  return size + (size < 128 ? 1 : size < 16_383 ? 2 : size < 2_097_151 ? 3 : 5);
}

function tableBytes(count: number): number {
  return dictHead + bucket * 2 ** Math.ceil(Math.log2(Math.max(count, 4)));
}

/** A radix tree of ids: they share what they begin with, and take about two nodes each. */
function radixBytes(ids: number): number {
  const nodes = ids === 0 ? 1 : ids === 1 ? 2 : Math.round(ids * 2.14);
  return ids * idBytes + nodes * radixNode;
}

/** Whether a server keeps a string as a number: up to 19 digits, as it would print them. */
function isInteger(buf: Buffer, start: number, end: number): boolean {
  const first = buf[start] === 0x2d ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > 19 || (buf[first] === 0x30 && end - start > 1)) return false;
  for (let at = first; at < end; at++) if (buf[at]! < 0x30 || buf[at]! > 0x39) return false;
  return digits < 19 || BigInt(buf.toString('latin1', first, end)) < 2n ** 63n;
}

const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };

/** A handler that calls back with the estimate of each key. */
export class MemoryEstimator implements ScanHandler, ValueVisitor {
  keys = 0;
  private readonly test: (scanner: ScanState) => boolean;
  private readonly tell: (memory: KeyMemory, scanner: ScanState) => void;
  private readonly wish: BodyWish = { mode: bodyMode.decode, raw: undefined, visitor: this };
  private isOpen = false;
  private kind: Kind = 'string';
  private texts = 0;
  private textBytes = 0;
  private packed = 0;
  private plain = 0;
  private longest = 0;
  private entries = 0;
  private nodes = 0;
  private nodeBytes = 0;
  private groupBytes = 0;
  private expiries = 0;
  private isInteger = false;

  constructor(test: (scanner: ScanState) => boolean, tell: (memory: KeyMemory, scanner: ScanState) => void) {
    this.test = test;
    this.tell = tell;
  }

  key(scanner: ScanState): BodyWish {
    this.isOpen = this.test(scanner);
    if (!this.isOpen) return passOver;
    this.keys++;
    const { cursor } = scanner;
    const lead = cursor.pos < cursor.end ? cursor.buf[cursor.pos]! : 0;
    this.isInteger = scanner.type === type.string && lead >= 0xc0 && lead <= 0xc2;
    return this.wish;
  }

  begin(kind: Kind): void {
    this.kind = kind;
    this.texts = 0;
    this.textBytes = 0;
    this.packed = 0;
    this.plain = 0;
    this.longest = 0;
    this.entries = 0;
    this.nodes = 0;
    this.nodeBytes = 0;
    this.groupBytes = 0;
    this.expiries = 0;
  }

  text(buf: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.kind === 'string' && !this.isInteger) this.isInteger = isInteger(buf, start, end);
    this.texts++;
    this.textBytes += length;
    this.packed += packedBytes(length);
    this.plain += stringBytes(length);
    if (length > this.longest) this.longest = length;
  }

  score(value: number): void {
    this.packed += packedBytes(Number.isInteger(value) && Math.abs(value) < 4096 ? 1 : String(value).length);
  }

  scoreText(_buf: Buffer, start: number, end: number): void {
    this.packed += packedBytes(end - start);
  }

  fieldExpiry(atMs: bigint | undefined): void {
    if (atMs !== undefined) this.expiries++;
  }

  streamEntry(): void {
    this.entries++;
  }

  streamNode(bytes: number): void {
    this.nodes++;
    this.nodeBytes += allocated(bytes);
  }

  streamInfo(): void {}

  streamGroup(group: StreamGroup): void {
    this.groupBytes += groupHead + radixBytes(group.pending.length) + group.pending.length * pendingEntry;
    for (const { name, pending } of group.consumers) {
      this.groupBytes += consumerHead + name.length + radixBytes(pending.length);
    }
  }

  moduleValue(): void {}

  end(scanner?: ScanState): void {
    if (scanner === undefined || !this.isOpen) return;
    const { kind, encoding } = typeInfo(scanner.type, scanner.flavor)!;
    const keyBytes = stringBytes(scanner.keyEnd - scanner.keyStart) + dictEntry + bucket;
    const expiry = scanner.expireMs === -1 ? 0 : dictEntry + bucket;
    // A module keeps its values in ways of its own; what it wrote is the only measure.
    const value = kind === 'module' ? scanner.offset - scanner.entryOffset : this.valueBytes(encoding);
    this.tell(
      {
        db: scanner.db,
        kind,
        encoding: this.isInteger ? 'int' : encoding,
        bytes: Math.round(keyBytes + expiry + objectHead + value),
        elements: kind === 'stream' ? this.entries : kind === 'hash' ? this.texts / 2 : this.texts,
        longest: this.longest,
        expireMs: scanner.expireMs === -1 ? undefined : bigintOf(scanner.expireHigh, scanner.expireLow),
      },
      scanner,
    );
  }

  /** Beyond the object's own head. */
  private valueBytes(encoding: string): number {
    const { texts, packed, plain } = this;
    switch (this.kind) {
      case 'string':
        if (this.isInteger) return 0;
        // A short string stands in one allocation with its head.
        return this.textBytes <= 44 ? allocated(objectHead + 4 + this.textBytes) - objectHead : plain;
      case 'list': {
        const nodes = Math.max(1, Math.ceil(packed / nodeBytes));
        return quicklistHead + nodes * (quicklistNode + allocated(listpackHead + packed / nodes));
      }
      case 'stream':
        return streamHead + radixBytes(this.nodes) + this.nodeBytes + this.groupBytes;
      default:
        break;
    }
    if (encoding === 'intset')
      return allocated(8 + texts * (this.longest <= 5 ? 2 : this.longest <= 10 ? 4 : 8));
    const isPacked = encoding !== 'hashtable' && encoding !== 'skiplist';
    if (isPacked) return allocated(listpackHead + packed + this.expiries * 8);
    const elements = this.kind === 'hash' ? texts / 2 : texts;
    const table = tableBytes(elements) + elements * dictEntry + plain + this.expiries * 40;
    return this.kind === 'zset' ? table + skiplistHead + elements * skiplistNode : table;
  }
}
