/**
 * What a frame has given so far, as far back as its window goes: what later blocks may copy from. It takes as much memory as
 * was given, never as much as a frame claims, and at most a quarter (or 1 MiB) more than the window.
 */
export class History {
  private windowBytes = 0;
  private held = Buffer.allocUnsafeSlow(2 ** 18);
  /** What is there ends here. */
  private end = 0;
  private blockStart = 0;

  beginFrame(windowBytes: number): void {
    this.windowBytes = windowBytes;
    this.end = 0;
    this.blockStart = 0;
  }

  /** Makes room for a block; `bytes` is the most that it gives, 128 KiB at most. */
  beginBlock(bytes: number): void {
    if (this.end + bytes > this.held.length) {
      const kept = Math.min(this.end, this.windowBytes);
      // So much room that what is kept is moved seldom, however little each block gives.
      const most = this.windowBytes + Math.max(this.windowBytes >> 2, 2 ** 20);
      const fits = kept + bytes <= this.held.length && (kept < this.end / 2 || this.held.length >= most);
      const to = fits ? this.held : Buffer.allocUnsafeSlow(Math.min(most, this.held.length * 2));
      this.held.copy(to, 0, this.end - kept, this.end);
      this.held = to;
      this.end = kept;
    }
    this.blockStart = this.end;
  }

  /** What the block gave, as a copy. */
  block(): Buffer {
    return Buffer.from(this.held.subarray(this.blockStart, this.end));
  }

  get blockBytes(): number {
    return this.end - this.blockStart;
  }

  add(bytes: Uint8Array): void {
    this.held.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** The same as `add` for a few bytes of a longer array, which is what most literals are. */
  addFrom(bytes: Uint8Array, from: number, count: number): void {
    if (count > 32) {
      this.add(bytes.subarray(from, from + count));
      return;
    }
    const { held } = this;
    let { end } = this;
    for (let i = 0; i < count; i++) held[end++] = bytes[from + i]!;
    this.end = end;
  }

  fill(byte: number, count: number): void {
    this.held.fill(byte, this.end, this.end + count);
    this.end += count;
  }

  /** Copies `count` bytes from `distance` back; what is copied may be copied again. */
  repeat(distance: number, count: number): void {
    if (distance > this.end || distance > this.windowBytes)
      throw new Error('a block copies from before its frame');
    const { held, end } = this;
    if (count <= 16 || distance < count) {
      // In a local number, so that the loop stays in registers.
      for (let at = end; at < end + count; at++) held[at] = held[at - distance]!;
    } else held.copyWithin(end, end - distance, end - distance + count);
    this.end += count;
  }
}
