/** So many ids are remembered of one stream: 16 MB. */
const most = 2 ** 20;

/** The ids of a stream's entries, which come in order: for asking later whether an entry is there. */
export class StreamIds {
  private ids = new BigUint64Array(256);
  private count = 0;
  private seen = 0;

  /** False when there were too many: what is not found then may be there all the same. */
  get isComplete(): boolean {
    return this.seen === this.count;
  }

  clear(): void {
    this.count = 0;
    this.seen = 0;
  }

  add(ms: bigint, seq: bigint): void {
    this.seen++;
    if (this.count === most) return;
    if (this.count * 2 === this.ids.length) {
      const larger = new BigUint64Array(this.ids.length * 2);
      larger.set(this.ids);
      this.ids = larger;
    }
    this.ids[this.count * 2] = ms;
    this.ids[this.count * 2 + 1] = seq;
    this.count++;
  }

  /** @param id `ms-seq` */
  has(id: string): boolean {
    const [ms = 0n, seq = 0n] = id.split('-').map(BigInt);
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const [foundMs, foundSeq] = [this.ids[middle * 2]!, this.ids[middle * 2 + 1]!];
      if (foundMs === ms && foundSeq === seq) return true;
      if (foundMs < ms || (foundMs === ms && foundSeq < seq)) low = middle + 1;
      else high = middle;
    }
    return false;
  }
}
