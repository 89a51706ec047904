import { lzfFault } from './lzf.ts';

/** No reference reaches back further. */
const reach = 8192;
const roomBytes = 256 * 1024;
const none: Buffer = Buffer.alloc(0);

/** Unpacks a string piece by piece (see lzf.ts): nothing is held but what a reference may reach back to. */
export class LzfStream {
  readonly #length: number;
  readonly #give: (bytes: Buffer) => void;
  readonly #out = Buffer.allocUnsafeSlow(reach + roomBytes);
  /** What is unpacked in `out`, and from where it was not given yet. */
  #used = 0;
  #from = 0;
  #total = 0;
  #rest = none;

  /** @param length unpacked. @param give takes what is unpacked; its memory is used again behind the call. */
  constructor(length: number, give: (bytes: Buffer) => void) {
    this.#length = length;
    this.#give = give;
  }

  /** @throws Fault */
  add(data: Buffer): void {
    const bytes = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    let at = 0;
    for (let next = this.#step(bytes, at); next > at; next = this.#step(bytes, at)) at = next;
    this.#rest = at === bytes.length ? none : Buffer.from(bytes.subarray(at));
    this.#giveAll();
  }

  /** All of it has come. @throws Fault when it was not whole */
  end(): void {
    if (this.#rest.length > 0) throw lzfFault('it ends inside a reference or a literal run', 0);
    if (this.#total !== this.#length)
      throw lzfFault(`it gives ${this.#total} bytes where ${this.#length} were announced`, 0);
  }

  /** Where the next step begins; the same place when this one is not whole yet. */
  #step(bytes: Buffer, at: number): number {
    if (at >= bytes.length) return at;
    const control = bytes[at]!;
    if (control < 32) {
      const end = at + control + 2;
      if (end > bytes.length) return at;
      this.#makeRoom(control + 1);
      bytes.copy(this.#out, this.#used, at + 1, end);
      this.#used += control + 1;
      return end;
    }
    const isLong = control >>> 5 === 7;
    const end = at + (isLong ? 3 : 2);
    if (end > bytes.length) return at;
    const back = ((control & 31) << 8) + bytes[end - 1]! + 1;
    if (back > this.#total) throw lzfFault('a reference points before the start', at);
    const count = (control >>> 5) + 2 + (isLong ? bytes[at + 1]! : 0);
    this.#makeRoom(count);
    const out = this.#out;
    const stop = this.#used + count;
    for (let to = this.#used; to < stop; to++) out[to] = out[to - back]!;
    this.#used = stop;
    return end;
  }

  #makeRoom(count: number): void {
    this.#total += count;
    if (this.#total > this.#length) throw lzfFault('it gives more bytes than announced', 0);
    if (this.#used + count <= this.#out.length) return;
    this.#giveAll();
    const kept = Math.min(reach, this.#used);
    this.#out.copyWithin(0, this.#used - kept, this.#used);
    this.#used = kept;
    this.#from = kept;
  }

  #giveAll(): void {
    if (this.#used > this.#from) this.#give(this.#out.subarray(this.#from, this.#used));
    this.#from = this.#used;
  }
}
