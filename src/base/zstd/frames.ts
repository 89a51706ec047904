/**
 * Walks the frames of a zstd file, of which there are any number, with skippable ones between and before them, as zstd, pzstd
 * and others write them. Source: RFC 8878, section 3.1.
 *
 * - A frame: 0xfd2fb528; a descriptor; window, dictionary and content size as it says; blocks; the lower half of the
 *   XXH64 of the content, when it says so.
 * - A block: 3 bytes, lowest first: last or not (1 bit), kind (2), size (21). Kind 0 is as it is, kind 1 repeats one byte
 *   `size` times, kind 2 is compressed: literals, then sequences.
 * - A skippable frame: 0x184d2a50 to 0x184d2a5f, a length of 4 bytes, and so many bytes.
 *
 * Whoever wrote the file may mean harm. No block gives more than 128 KiB, what it may copy from is not longer than the
 * window, and a window is 128 MiB at most: so memory is bounded, and so is the work for each byte that goes in or comes out.
 */
import { Xxh64 } from '../xxh64.ts';
import { roundBytes } from './bits.ts';
import { History } from './history.ts';
import { Literals } from './literals.ts';
import { Sequences } from './sequences.ts';

const magic = 0xfd2fb528;
const skippable = 0x184d2a5;
/** The window that the zstd program itself accepts unasked: 128 MiB. */
const maxWindowBytes = 2 ** 27;
/** Block_Maximum_Size, where the window is not smaller: of what stands in the file, and of what it gives. */
const maxBlockBytes = 2 ** 17;
const kinds = { raw: 0, repeated: 1, compressed: 2 } as const;

/** Whether a file that begins like this is zstd; needs 4 bytes. */
export function looksLikeZstd(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const first = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
  return first === magic || first >>> 4 === skippable;
}

type State = 'frame' | 'skipped' | 'header' | 'block' | 'content' | 'checksum';

export class Frames {
  private state: State = 'frame';
  /** What is being collected, a header or a block, of which `wanted` bytes are needed; readable beyond both ends. */
  private readonly room = Buffer.alloc(maxBlockBytes + 2 * roundBytes);
  private readonly held = this.room.subarray(roundBytes);
  private heldBytes = 0;
  private wanted = 4;
  /** Bytes of a skippable frame that are yet to come. */
  private left = 0;
  private kind = 0;
  /** What a block gives; of a compressed one, not known before. */
  private blockBytes = 0;
  private isLast = false;
  private hasChecksum = false;
  private contentBytes: number | undefined;
  private mostOfBlock = 0;
  private given = 0;
  private sum = new Xxh64();
  private readonly history = new History();
  private readonly literals = new Literals();
  private readonly sequences = new Sequences();
  private out: Buffer | undefined;
  private seen = false;

  /** Takes some of the bytes; returns how many. After each call `ready` has to be asked. */
  take(bytes: Buffer): number {
    if (this.left > 0) {
      const count = Math.min(this.left, bytes.length);
      this.left -= count;
      if (this.left === 0) this.await('frame', 4);
      return count;
    }
    const count = Math.min(this.wanted - this.heldBytes, bytes.length);
    bytes.copy(this.held, this.heldBytes, 0, count);
    this.heldBytes += count;
    if (this.heldBytes === this.wanted) this.step();
    return count;
  }

  /** What a block gave. */
  ready(): Buffer | undefined {
    const { out } = this;
    this.out = undefined;
    return out;
  }

  finish(): void {
    if (this.state === 'frame' && this.heldBytes === 0 && this.seen) return;
    throw new Error('it ends too early');
  }

  /** What was wanted has come. */
  private step(): void {
    switch (this.state) {
      case 'frame':
        this.beginFrame();
        break;
      case 'skipped':
        this.left = this.held.readUInt32LE(4);
        if (this.left === 0) this.await('frame', 4);
        break;
      case 'header':
        this.readHeader();
        break;
      case 'block':
        this.beginBlock();
        break;
      case 'content':
        this.endBlock();
        break;
      case 'checksum':
        this.compareChecksum();
    }
  }

  private beginFrame(): void {
    const first = this.held.readUInt32LE(0);
    this.seen = true;
    const isSkippable = first >>> 4 === skippable;
    if (!isSkippable && first !== magic) throw new Error('no frame begins where one should');
    this.more(isSkippable ? 'skipped' : 'header', isSkippable ? 8 : 5);
  }

  private readHeader(): void {
    const descriptor = this.held[4]!;
    const isSingle = (descriptor & 0x20) !== 0;
    const sizeCode = descriptor >>> 6;
    const sizeBytes = sizeCode > 0 ? 1 << sizeCode : isSingle ? 1 : 0;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
    const length = 5 + (isSingle ? 0 : 1) + dictionaryBytes + sizeBytes;
    if ((descriptor & 0x08) !== 0) throw new Error('a frame has a reserved bit set');
    if (this.heldBytes < length) {
      this.more('header', length);
      return;
    }
    const at = length - sizeBytes;
    if (this.held.subarray(at - dictionaryBytes, at).some((byte) => byte !== 0))
      throw new Error('a frame needs a dictionary');
    const size = sizeBytes === 0 ? undefined : readSize(this.held, at, sizeBytes);
    const window = isSingle ? (size ?? 0) : windowOf(this.held[5]!);
    if (window > maxWindowBytes) throw new Error(`a frame wants a window of ${window} bytes`);
    this.hasChecksum = (descriptor & 0x04) !== 0;
    this.contentBytes = size;
    this.mostOfBlock = Math.min(window, maxBlockBytes);
    this.given = 0;
    this.sum = new Xxh64();
    this.history.beginFrame(window);
    this.literals.beginFrame();
    this.sequences.beginFrame();
    this.await('block', 3);
  }

  private beginBlock(): void {
    const head = this.held.readUIntLE(0, 3);
    this.kind = (head >>> 1) & 3;
    if (this.kind > kinds.compressed) throw new Error('a block is of a kind that does not exist');
    const size = head >>> 3;
    if (size > this.mostOfBlock) throw new Error(`a block claims ${size} bytes, more than a block may have`);
    this.isLast = (head & 1) === 1;
    this.blockBytes = size;
    this.await('content', this.kind === kinds.repeated ? 1 : size);
    if (this.wanted === 0) this.endBlock();
  }

  /** A block's last byte has come. */
  private endBlock(): void {
    const { history, mostOfBlock } = this;
    history.beginBlock(this.kind === kinds.compressed ? mostOfBlock : this.blockBytes);
    if (this.kind === kinds.raw) history.add(this.held.subarray(0, this.blockBytes));
    else if (this.kind === kinds.repeated) history.fill(this.held[0]!, this.blockBytes);
    else {
      const end = roundBytes + this.wanted;
      const { bytes, next } = this.literals.read(this.room, roundBytes, end, mostOfBlock);
      this.sequences.run(this.room, next, end, bytes, history, mostOfBlock);
    }
    if (history.blockBytes > 0) this.give(history.block());
    if (!this.isLast) this.await('block', 3);
    else this.endFrame();
  }

  private give(bytes: Buffer): void {
    this.given += bytes.length;
    const { contentBytes: said } = this;
    if (said !== undefined && this.given > said)
      throw new Error(`a frame says that it holds ${said} bytes, and gives more`);
    if (this.hasChecksum) this.sum.update(bytes);
    this.out = bytes;
  }

  private endFrame(): void {
    if (this.contentBytes !== undefined && this.contentBytes !== this.given)
      throw new Error(`a frame says that it holds ${this.contentBytes} bytes, and gives ${this.given}`);
    if (this.hasChecksum) this.await('checksum', 4);
    else this.await('frame', 4);
  }

  private compareChecksum(): void {
    const found = Number(this.sum.digest() & 0xffffffffn);
    const said = this.held.readUInt32LE(0);
    if (found !== said) {
      const hex = (sum: number) => sum.toString(16).padStart(8, '0');
      throw new Error(`the checksum of a frame is ${hex(said)}, its content gives ${hex(found)}`);
    }
    this.await('frame', 4);
  }

  private await(state: State, bytes: number): void {
    this.heldBytes = 0;
    this.more(state, bytes);
  }

  private more(state: State, bytes: number): void {
    this.state = state;
    this.wanted = bytes;
  }
}

/** Of 8 bytes, what is beyond 2^53 is not exact, and far more than any window or file. */
function readSize(held: Buffer, at: number, bytes: number): number {
  if (bytes === 8) return Number(held.readBigUInt64LE(at));
  return held.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}

function windowOf(code: number): number {
  const base = 2 ** (10 + (code >>> 3));
  return base + (base / 8) * (code & 7);
}
