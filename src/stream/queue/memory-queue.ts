/** The end of a queue, in memory: blocks that are filled one behind the other. Pure. */
interface Block {
  /** Of the stream. */
  offset: number;
  bytes: Buffer;
  length: number;
}

const blockBytes = 64 * 1024;

export class MemoryQueue {
  readonly #blocks: Block[] = [];
  #start: number;
  #end: number;

  constructor(offset: number) {
    this.#start = offset;
    this.#end = offset;
  }

  /** Offset of the first byte that is here. */
  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  get bytes(): number {
    return this.#end - this.#start;
  }

  /** Copies it. */
  push(chunk: Buffer): void {
    let taken = 0;
    while (taken < chunk.length) {
      let last = this.#blocks.at(-1);
      if (last === undefined || last.length === last.bytes.length) {
        last = { offset: this.#end, bytes: Buffer.allocUnsafeSlow(blockBytes), length: 0 };
        this.#blocks.push(last);
      }
      const count = chunk.copy(last.bytes, last.length, taken);
      last.length += count;
      taken += count;
      this.#end += count;
    }
  }

  /** What stands there and behind it, as far as it lies in one piece; empty at the end. What was given stays as it is. */
  at(offset: number): Buffer {
    const block = this.#blocks.find((each) => offset < each.offset + each.length);
    return block === undefined ? Buffer.alloc(0) : block.bytes.subarray(offset - block.offset, block.length);
  }

  /** All of it, from its start on, but no more than so many bytes. */
  take(most: number): Buffer {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for (let at = this.#start; at < this.#end && bytes < most; ) {
      const piece = this.at(at).subarray(0, most - bytes);
      pieces.push(piece);
      bytes += piece.length;
      at += piece.length;
    }
    return Buffer.concat(pieces);
  }

  /** Nobody needs what stands before it. */
  dropBefore(offset: number): void {
    if (offset <= this.#start) return;
    this.#start = Math.min(offset, this.#end);
    while (this.#blocks.length > 0 && this.#blocks[0]!.offset + this.#blocks[0]!.length <= this.#start)
      this.#blocks.shift();
  }

  /** Nothing stands behind it. */
  cutAt(offset: number): void {
    if (offset >= this.#end) return;
    while (this.#blocks.length > 0 && this.#blocks.at(-1)!.offset >= offset) this.#blocks.pop();
    const last = this.#blocks.at(-1);
    if (last !== undefined) last.length = Math.min(last.length, offset - last.offset);
    this.#end = offset;
    this.#start = Math.min(this.#start, offset);
  }
}
