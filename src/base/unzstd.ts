/**
 * Unpacks zstd: any number of frames, and skippable ones between and before them, as zstd, pzstd and others write. fzstd
 * unpacks the blocks; the frames are walked here, because it looks neither at the checksum nor at the length of a frame's
 * content, and takes as much memory as a frame claims. Source: RFC 8878, section 3.1.
 *
 * - A frame: 0xfd2fb528; a descriptor; window, dictionary and content size as it says; blocks; the lower half of the
 *   XXH64 of the content, when it says so.
 * - A block: 3 bytes, lowest first: last or not (1 bit), kind (2), size (21). Kind 1 repeats one byte `size` times.
 * - A skippable frame: 0x184d2a50 to 0x184d2a5f, a length of 4 bytes, and so many bytes.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Decompress } from 'fzstd';
import { errorCode } from './errors.ts';
import { through } from './through.ts';
import { Xxh64 } from './xxh64.ts';

const magic = 0xfd2fb528;
const skippable = 0x184d2a5;
/** The window that the zstd program itself accepts unasked: 128 MiB. */
const maxWindowBytes = 2 ** 27;
/** Block_Maximum_Size: of what stands in the file, and of one byte that is repeated. */
const maxBlockBytes = 2 ** 17;
/** Fed in small bites: each may become a great deal, and all of it is held until it is asked for. */
const bite = 4096;
const repeated = 1;
const reserved = 3;

/** Whether a file that begins like this is zstd; needs 4 bytes. */
export function looksLikeZstd(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const first = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
  return first === magic || first >>> 4 === skippable;
}

/**
 * Unpacks it by the zstd program where that is installed, which refuses what fzstd may work on for minutes: it does not
 * bound how much a block becomes. Throws an Error that says what is wrong, also when the data ends too early.
 */
export async function* unzstd(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const program = await startZstd();
  yield* program === undefined ? unzstdHere(pieces) : unzstdBy(program, pieces);
}

type ZstdProgram = ChildProcessByStdio<Writable, Readable, Readable>;

/** Undefined where there is none that runs. */
async function startZstd(): Promise<ZstdProgram | undefined> {
  const child = spawn('zstd', ['-d', '-q', '-c', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
  try {
    await once(child, 'spawn');
    return child;
  } catch {
    return undefined;
  }
}

async function* unzstdBy(child: ZstdProgram, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-500);
  });
  const ended = once(child, 'close').then(([status]) => {
    if (status !== 0)
      throw new Error(said.replace(/^zstd: \S+ ?: /, '').trim() || `zstd ended with status ${status}`);
  });
  ended.catch(() => {});
  try {
    yield* through(pieces, child.stdin, child.stdout);
    await ended;
  } catch (error) {
    // When it ended, what it said is the reason, and not the pipe that broke.
    if (errorCode(error) === 'EPIPE') await ended;
    throw error;
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

/** The same without another program. */
export async function* unzstdHere(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // Only who meets zstd waits for it.
  const fzstd = await import('fzstd');
  const frames = new Frames(fzstd.Decompress);
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      at += frames.take(piece.subarray(at, at + bite));
      yield* frames.ready();
    }
  }
  frames.finish();
}

type State = 'frame' | 'skipped' | 'header' | 'block' | 'content' | 'checksum';

class Frames {
  private state: State = 'frame';
  /** What is being collected: a header, of which `wanted` bytes are needed. */
  private readonly held = Buffer.alloc(18);
  private heldBytes = 0;
  private wanted = 4;
  /** Bytes of a block or a skippable frame that are yet to come. */
  private left = 0;
  private isLast = false;
  private hasChecksum = false;
  private contentBytes: number | undefined;
  private given = 0;
  private sum = new Xxh64();
  private unpacker: Decompress | undefined;
  private out: Buffer[] = [];
  private seen = false;
  private readonly makeUnpacker: typeof Decompress;

  constructor(makeUnpacker: typeof Decompress) {
    this.makeUnpacker = makeUnpacker;
  }

  /** Takes some of the bytes; returns how many. */
  take(bytes: Buffer): number {
    if (this.left > 0) {
      const count = Math.min(this.left, bytes.length);
      this.left -= count;
      if (this.state === 'content') this.feed(bytes.subarray(0, count));
      if (this.left === 0) this.endOfBytes();
      return count;
    }
    const count = Math.min(this.wanted - this.heldBytes, bytes.length);
    bytes.copy(this.held, this.heldBytes, 0, count);
    this.heldBytes += count;
    if (this.heldBytes === this.wanted) this.step();
    return count;
  }

  ready(): Buffer[] {
    const { out } = this;
    this.out = [];
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
        this.readBlock();
        break;
      default:
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
    const size =
      sizeBytes === 0
        ? undefined
        : sizeBytes === 8
          ? Number(this.held.readBigUInt64LE(at))
          : this.held.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
    const window = isSingle ? (size ?? 0) : windowOf(this.held[5]!);
    if (window > maxWindowBytes) throw new Error(`a frame wants a window of ${window} bytes`);
    this.hasChecksum = (descriptor & 0x04) !== 0;
    this.contentBytes = size;
    this.given = 0;
    this.sum = new Xxh64();
    this.unpacker = new this.makeUnpacker((data) => {
      this.given += data.length;
      if (this.hasChecksum) this.sum.update(data);
      if (data.length > 0) this.out.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    });
    // The checksum is compared here, and kept from fzstd, which would wait for it before it calls a short frame whole.
    this.held[4] = descriptor & ~0x04;
    this.feed(this.held.subarray(0, length));
    this.await('block', 3);
  }

  private readBlock(): void {
    const head = this.held.readUIntLE(0, 3);
    const kind = (head >>> 1) & 3;
    if (kind === reserved) throw new Error('a block is of a kind that does not exist');
    const size = head >>> 3;
    if (size > maxBlockBytes) throw new Error(`a block claims ${size} bytes, more than a block may have`);
    this.isLast = (head & 1) === 1;
    this.left = kind === repeated ? 1 : size;
    this.feed(this.held.subarray(0, 3));
    this.state = 'content';
    this.heldBytes = 0;
    if (this.left === 0) this.endOfBytes();
  }

  /** A block's, or a skippable frame's, last byte has come. */
  private endOfBytes(): void {
    if (this.state === 'skipped' || !this.isLast) {
      const isSkipped = this.state === 'skipped';
      this.await(isSkipped ? 'frame' : 'block', isSkipped ? 4 : 3);
      return;
    }
    this.unpacker?.push(new Uint8Array(0), true);
    if (this.contentBytes !== undefined && this.contentBytes !== this.given) {
      throw new Error(`a frame says that it holds ${this.contentBytes} bytes, and gives ${this.given}`);
    }
    this.unpacker = undefined;
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

  private feed(bytes: Buffer): void {
    // A copy: what is fed may be kept until a block is whole.
    this.unpacker?.push(new Uint8Array(bytes));
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

function windowOf(code: number): number {
  const base = 2 ** (10 + (code >>> 3));
  return base + (base / 8) * (code & 7);
}
