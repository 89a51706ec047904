/** Marks entries of files by their number in the file: one bit for each, so that a hundred million take 12 MB. */
export class OrdinalSets {
  private readonly bits: Uint8Array[];

  constructor(keysPerFile: number[]) {
    this.bits = keysPerFile.map((keys) => new Uint8Array(Math.ceil(keys / 8)));
  }

  add(file: number, ordinal: number): void {
    this.bits[file]![ordinal >>> 3]! |= 1 << (ordinal & 7);
  }

  /** @param ordinal how many keys of the file came before. */
  has(file: number, ordinal: number): boolean {
    return (this.bits[file]![ordinal >>> 3]! & (1 << (ordinal & 7))) !== 0;
  }
}
