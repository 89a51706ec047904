import { Fault } from './fault.ts';
import { copyShort, sameViewOf } from './short-copy.ts';

/**
 * LZF, the compression of long strings. A control byte below 32 is followed by that many plus one literal bytes.
 * Any other is a reference: its upper three bits are the length less two (7: another byte adds to it), its lower
 * five bits and the next byte how far back, less one. Source: redis src/lzf_d.c (liblzf by Marc Lehmann).
 *
 * The longest reference turns 3 bytes into 264, so nothing grows by more than 88 times: a claim above that is a
 * lie, found before any memory is asked for.
 */
const maxGrowth = 88;

/** Whether `compressed` bytes can become `plain` bytes at all. */
export function lzfCanBe(compressed: number, plain: number): boolean {
  return plain > 0 && compressed > 0 && plain <= compressed * maxGrowth;
}

/**
 * Decompresses data[from, to) into target[0, length). Throws a Fault unless it gives exactly `length` bytes.
 * @param offset where `from` stands in the file, for the error.
 */
export function lzfDecompress(
  data: Buffer,
  from: number,
  to: number,
  target: Buffer,
  length: number,
  offset: number,
): void {
  const source = sameViewOf(data);
  const view = sameViewOf(target);
  let at = from;
  let out = 0;
  while (at < to) {
    const control = data[at]!;
    at += 1;
    if (control < 32) {
      const stop = out + control + 1;
      if (stop > length || at + control + 1 > to)
        throw lzfFault('a literal run passes the end', offset + at - from);
      copyShort(view, out, source, at, at + control + 1);
      at += control + 1;
      out = stop;
      continue;
    }
    let run = control >>> 5;
    if (run === 7) {
      if (at >= to) throw lzfFault('it ends inside a reference', offset + at - from);
      run += data[at++]!;
    }
    if (at >= to) throw lzfFault('it ends inside a reference', offset + at - from);
    let back = out - ((control & 31) << 8) - data[at++]! - 1;
    const stop = out + run + 2;
    if (back < 0) throw lzfFault('a reference points before the start', offset + at - from);
    if (stop > length) throw lzfFault('it gives more bytes than announced', offset + at - from);
    if (out - back >= 4) {
      // Far enough for words: each is written before one behind it is read.
      copyShort(view, out, view, back, back + run + 2);
      out = stop;
    } else {
      while (out < stop) target[out++] = target[back++]!;
    }
  }
  if (out !== length)
    throw lzfFault(`it gives ${out} bytes where ${length} were announced`, offset + at - from);
}

/**
 * Checks compressed data piece by piece without decompressing it: the control bytes alone tell the length and
 * whether every reference stays inside. Nothing is held, however long the string.
 */
export class LzfChecker {
  /** Compressed bytes still to come; 0 when no string is under way. */
  left = 0;
  private given = 0;
  private announced = 0;

  start(compressed: number, plain: number): void {
    this.left = compressed;
    this.given = 0;
    this.announced = plain;
  }

  /**
   * Goes on at data[from], as far as `to`, and returns where it stopped: a position past `to` means literal bytes
   * that are yet to come. It needs up to three bytes for a step, so fewer may be left before `to`.
   */
  advance(data: Uint8Array, from: number, to: number, base: number): number {
    let at = from;
    let left = this.left;
    let given = this.given;
    while (left > 0 && at < to) {
      const control = data[at]!;
      let size = control + 2;
      if (control < 32) {
        given += control + 1;
      } else {
        const long = control >>> 5 === 7;
        size = long ? 3 : 2;
        if (size <= left && at + size > to) break;
        if (size > left) throw lzfFault('it ends inside a reference', base + at);
        const back = ((control & 31) << 8) + data[at + size - 1]! + 1;
        if (back > given) throw lzfFault('a reference points before the start', base + at);
        given += (control >>> 5) + 2 + (long ? data[at + 1]! : 0);
      }
      if (size > left) throw lzfFault('a literal run passes the end', base + at);
      if (given > this.announced) throw lzfFault('it gives more bytes than announced', base + at);
      at += size;
      left -= size;
    }
    if (left === 0 && given !== this.announced) {
      throw lzfFault(`it gives ${given} bytes where ${this.announced} were announced`, base + at);
    }
    this.left = left;
    this.given = given;
    return at;
  }
}

export function lzfFault(reason: string, offset: number): Fault {
  return new Fault('corrupt', `compressed string: ${reason}`, offset);
}
