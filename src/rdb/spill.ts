/** Where records wait that do not fit in memory: numbered files, appended to and then read back whole. */
export interface Spill {
  append(part: number, bytes: Uint8Array): void;
  /** All that was appended to the part, in order. */
  read(part: number): Buffer;
  /** Forgets everything. */
  clear(): void;
}

const parts = 256;
const bufferWords = 8 * 1024;

/**
 * Records of a fixed number of 32-bit words, dealt to 256 parts by their first word, so that equal hashes meet in
 * the same part and each part can be looked at by itself. Small amounts never leave memory.
 */
export class RecordSpill {
  private readonly spill: Spill;
  private readonly words: number;
  private readonly buffers: (Int32Array | undefined)[] = new Array(parts);
  private readonly used = new Int32Array(parts);
  private readonly isSpilled = new Uint8Array(parts);

  constructor(spill: Spill, words: number) {
    this.spill = spill;
    this.words = words;
  }

  /** The record at which the caller then writes `words` numbers; the first must be `hash`. */
  add(hash: number): { words: Int32Array; at: number } {
    const part = hash >>> 24;
    let buffer = this.buffers[part];
    const used = this.used[part]!;
    if (buffer === undefined || used + this.words > buffer.length) buffer = this.makeRoom(part, buffer);
    const at = this.used[part]!;
    this.used[part] = at + this.words;
    this.slot.words = buffer;
    this.slot.at = at;
    return this.slot;
  }

  /** Calls `each` with all records of one part after the other. */
  forEachPart(each: (words: Int32Array) => void): void {
    for (let part = 0; part < parts; part++) {
      const buffer = this.buffers[part];
      if (buffer === undefined) continue;
      const last = buffer.subarray(0, this.used[part]!);
      if (!this.isSpilled[part]) {
        each(last);
        continue;
      }
      const before = this.spill.read(part);
      const all = new Int32Array(before.length / 4 + last.length);
      Buffer.from(all.buffer).set(before);
      all.set(last, before.length / 4);
      each(all);
    }
    this.spill.clear();
  }

  private readonly slot: { words: Int32Array; at: number } = { words: new Int32Array(0), at: 0 };

  private makeRoom(part: number, buffer: Int32Array | undefined): Int32Array {
    if (buffer === undefined) {
      const made = new Int32Array(bufferWords);
      this.buffers[part] = made;
      return made;
    }
    this.spill.append(part, new Uint8Array(buffer.buffer, 0, this.used[part]! * 4));
    this.isSpilled[part] = 1;
    this.used[part] = 0;
    return buffer;
  }
}
