/**
 * XXH64 with the seed 0, of bytes that come in pieces: what a zstd frame has behind its data. In 32-bit halves, since
 * bigints take twenty times as long; the last few bytes, once a frame, go by bigints. Source: xxHash's own
 * specification, xxhash_spec.md.
 */
const primes = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n] as const;
const [prime1, prime2, prime3, prime4] = primes;
const prime5 = 0x27d4eb2f165667c5n;
const [p1High, p1Low, p2High, p2Low] = [0x9e3779b1, 0x85ebca87, 0xc2b2ae3d, 0x27d4eb4f] as const;
const stripeBytes = 32;

export class Xxh64 {
  /** Four sums, each as its high and its low half. */
  private readonly sums = new Int32Array(8);
  private readonly rest = Buffer.alloc(stripeBytes);
  private restBytes = 0;
  private total = 0;

  constructor() {
    for (const [index, start] of [prime1 + prime2, prime2, 0n, -prime1].entries()) {
      this.sums[index * 2] = Number(BigInt.asIntN(32, start >> 32n));
      this.sums[index * 2 + 1] = Number(BigInt.asIntN(32, start));
    }
  }

  update(bytes: Uint8Array): void {
    this.total += bytes.length;
    let at = 0;
    if (this.restBytes > 0) {
      at = Math.min(bytes.length, stripeBytes - this.restBytes);
      this.rest.set(bytes.subarray(0, at), this.restBytes);
      this.restBytes += at;
      if (this.restBytes < stripeBytes) return;
      this.stripes(new DataView(this.rest.buffer, this.rest.byteOffset, stripeBytes), 0, stripeBytes);
      this.restBytes = 0;
    }
    const end = at + Math.floor((bytes.length - at) / stripeBytes) * stripeBytes;
    this.stripes(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at, end);
    this.rest.set(bytes.subarray(end));
    this.restBytes = bytes.length - end;
  }

  digest(): bigint {
    let sum = this.total < stripeBytes ? prime5 : this.joined();
    sum = wrap(sum + BigInt(this.total));
    let at = 0;
    for (; at + 8 <= this.restBytes; at += 8) {
      sum ^= round(0n, this.rest.readBigUInt64LE(at));
      sum = wrap(rotated(sum, 27n) * prime1 + prime4);
    }
    if (at + 4 <= this.restBytes) {
      sum ^= wrap(BigInt(this.rest.readUInt32LE(at)) * prime1);
      sum = wrap(rotated(sum, 23n) * prime2 + prime3);
      at += 4;
    }
    for (; at < this.restBytes; at++) {
      sum ^= wrap(BigInt(this.rest[at]!) * prime5);
      sum = wrap(rotated(sum, 11n) * prime1);
    }
    sum = wrap((sum ^ (sum >> 33n)) * prime2);
    sum = wrap((sum ^ (sum >> 29n)) * prime3);
    return sum ^ (sum >> 32n);
  }

  private joined(): bigint {
    const sums = [0, 1, 2, 3].map((index) =>
      BigInt.asUintN(64, (BigInt(this.sums[index * 2]!) << 32n) | BigInt(this.sums[index * 2 + 1]! >>> 0)),
    );
    const turns = [1n, 7n, 12n, 18n];
    let sum = wrap(sums.reduce((all, each, index) => all + rotated(each, turns[index]!), 0n));
    for (const each of sums) sum = wrap((sum ^ round(0n, each)) * prime1 + prime4);
    return sum;
  }

  /** data[from, to), a whole number of stripes: the loop that all the time is spent in. */
  private stripes(data: DataView, from: number, to: number): void {
    const { sums } = this;
    for (let at = from; at < to; at += stripeBytes) {
      for (let lane = 0; lane < 8; lane += 2) {
        const place = at + lane * 4;
        const low = data.getInt32(place, true);
        const high = data.getInt32(place + 4, true);
        // sum += lane * prime2
        let addLow = timesLow(low, p2Low);
        let addHigh = timesHigh(high, low, p2High, p2Low);
        const sumLow = (sums[lane + 1]! >>> 0) + (addLow >>> 0);
        addLow = sumLow | 0;
        addHigh = (sums[lane]! + addHigh + (sumLow > 0xffffffff ? 1 : 0)) | 0;
        // Turned by 31 bits, then times prime1.
        const turnedHigh = (addHigh << 31) | (addLow >>> 1);
        const turnedLow = (addLow << 31) | (addHigh >>> 1);
        sums[lane] = timesHigh(turnedHigh, turnedLow, p1High, p1Low);
        sums[lane + 1] = timesLow(turnedLow, p1Low);
      }
    }
  }
}

/** The lower half of a product. */
function timesLow(one: number, other: number): number {
  return Math.imul(one, other);
}

/** The upper half of the product of two integers of 64 bits, cut to 64. */
function timesHigh(high: number, low: number, otherHigh: number, otherLow: number): number {
  const a0 = low & 0xffff;
  const a1 = low >>> 16;
  const b0 = otherLow & 0xffff;
  const b1 = otherLow >>> 16;
  const p01 = a0 * b1;
  const p10 = a1 * b0;
  const middle = ((a0 * b0) >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
  const carry = (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16);
  return (a1 * b1 + carry + Math.imul(high, otherLow) + Math.imul(low, otherHigh)) | 0;
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function rotated(value: bigint, by: bigint): bigint {
  return wrap((value << by) | (value >> (64n - by)));
}

function round(sum: bigint, lane: bigint): bigint {
  return wrap(rotated(wrap(sum + lane * prime2), 31n) * prime1);
}
