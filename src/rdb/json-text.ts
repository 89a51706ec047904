import type { ByteSink } from './byte-sink.ts';
import { sameViewOf } from './short-copy.ts';

/** Bytes that stand for themselves in a JSON string. */
const plain = new Uint8Array(256);
for (let byte = 0x20; byte < 0x7f; byte++) plain[byte] = 1;
plain[0x22] = 0;
plain[0x5c] = 0;

const shortEscapes: Record<number, number> = {
  8: 0x62,
  9: 0x74,
  10: 0x6e,
  12: 0x66,
  13: 0x72,
  34: 0x22,
  92: 0x5c,
};
const hexDigits = Buffer.from('0123456789abcdef');
const bite = 16 * 1024;

/**
 * Puts bytes as a JSON string. UTF-8 stays as it is, but for the three characters beyond ASCII that many programs take for
 * the end of a line (U+0085, U+2028, U+2029), which are escaped; bytes that are not UTF-8 become the lone surrogates \udc80 to
 * \udcff, one each, so that every string can be turned back into its bytes (Python calls this surrogateescape).
 */
export function putJsonString(sink: ByteSink, bytes: Buffer, start: number, end: number): void {
  const source = sameViewOf(bytes);
  sink.byte(0x22);
  let at = start;
  while (at < end) {
    // Room for the worst case, six bytes for each, is made a bite at a time.
    sink.reserve(Math.min(end - at, bite) * 6 + 24);
    const stop = Math.min(end, at + bite);
    const { buf: out, view } = sink;
    let pos = sink.pos;
    while (at < stop) {
      if (at + 4 <= stop) {
        const word = source.getInt32(at, true);
        if (isPlain(word)) {
          view.setInt32(pos, word, true);
          pos += 4;
          at += 4;
          continue;
        }
      }
      const byte = bytes[at]!;
      if (plain[byte] === 1) {
        out[pos++] = byte;
        at++;
        continue;
      }
      const size = byte < 0x80 ? 1 : utf8Size(bytes, at, end);
      const lineEnd = size > 1 ? lineEndAt(bytes, at) : undefined;
      if (lineEnd !== undefined) {
        pos += out.write(lineEnd, pos, 'latin1');
      } else if (byte >= 0x80 && size > 0) {
        for (let index = 0; index < size; index++) out[pos++] = bytes[at + index]!;
      } else {
        pos = putEscape(out, pos, byte);
      }
      at += size || 1;
    }
    sink.pos = pos;
  }
  sink.byte(0x22);
}

/**
 * Whether all four bytes of a word stand for themselves. Each term has the upper bit of a byte set when that byte is
 * from 0x7f up, below 0x20, a quote or a backslash; a borrow may set that of the next byte too, which then is only
 * looked at by itself.
 */
function isPlain(word: number): boolean {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  const control = (word - 0x20202020) | (quote - 0x01010101) | (backslash - 0x01010101);
  return ((word | (word + 0x01010101) | control) & 0x80808080) === 0;
}

function putEscape(out: Buffer, at: number, byte: number): number {
  let pos = at;
  out[pos++] = 0x5c;
  const short = shortEscapes[byte];
  if (short !== undefined) {
    out[pos++] = short;
    return pos;
  }
  const high = byte >= 0x80 ? 0xdc : 0;
  out[pos++] = 0x75;
  out[pos++] = hexDigits[high >>> 4]!;
  out[pos++] = hexDigits[high & 15]!;
  out[pos++] = hexDigits[byte >>> 4]!;
  out[pos++] = hexDigits[byte & 15]!;
  return pos;
}

/** The escape for a character that ends a line in some programs; undefined for others. */
function lineEndAt(bytes: Buffer, at: number): string | undefined {
  const [lead, second, third] = [bytes[at], bytes[at + 1], bytes[at + 2]];
  if (lead === 0xc2) return second === 0x85 ? '\\u0085' : undefined;
  if (lead !== 0xe2 || second !== 0x80) return undefined;
  return third === 0xa8 ? '\\u2028' : third === 0xa9 ? '\\u2029' : undefined;
}

/** How many bytes the character at `at` takes; 0 when it is not UTF-8. Source: Unicode 15, table 3-7. */
function utf8Size(bytes: Buffer, at: number, end: number): number {
  const lead = bytes[at]!;
  const size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size === 0 || at + size > end) return 0;
  const second = bytes[at + 1]!;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let index = 2; index < size; index++) {
    if ((bytes[at + index]! & 0xc0) !== 0x80) return 0;
  }
  return size;
}

/**
 * A score as a JSON number; what JSON does not have as the strings "inf", "-inf" and "nan", which no server writes and a
 * damaged file may. Minus zero has a
 * point, since readers that tell integers from other numbers have no minus zero among the integers.
 */
export function putJsonNumber(sink: ByteSink, value: number): void {
  if (value === Infinity) sink.ascii('"inf"');
  else if (value === -Infinity) sink.ascii('"-inf"');
  else if (Number.isNaN(value)) sink.ascii('"nan"');
  else sink.ascii(Object.is(value, -0) ? '-0.0' : String(value));
}
