import { PackedReader } from './packed-reader.ts';

/** Intset: bytes per integer (4: 2, 4 or 8), count (4), the integers, rising. Source: redis src/intset.c. */
export class IntsetReader extends PackedReader {
  protected readonly name = 'intset';
  private width = 0;
  private total = 0;
  private beforeHigh = 0;
  private beforeLow = 0;

  protected openBlob(): void {
    const { data, first, limit } = this;
    const size = limit - first;
    this.at = first;
    if (size < 8) throw this.fault(`${size} bytes are too few`);
    const width = data.readUInt32LE(first);
    if (width !== 2 && width !== 4 && width !== 8) throw this.fault(`no integer has ${width} bytes`);
    this.total = data.readUInt32LE(first + 4);
    if (size - 8 !== this.total * width) {
      throw this.fault(`${this.total} integers of ${width} bytes do not make ${size - 8} bytes`);
    }
    this.width = width;
    this.at = first + 8;
  }

  announced(): number {
    return this.total;
  }

  next(): boolean {
    const { data, at, width } = this;
    if (this.count === this.total) return false;
    if (width === 8) {
      this.isInteger = true;
      this.low = data.readInt32LE(at);
      this.high = data.readInt32LE(at + 4);
    } else {
      this.setInteger(width === 2 ? data.readInt16LE(at) : data.readInt32LE(at));
    }
    const { high, low, beforeHigh } = this;
    const rises = high > beforeHigh || (high === beforeHigh && low >>> 0 > this.beforeLow >>> 0);
    if (this.count > 0 && !rises) throw this.fault('its integers do not rise');
    this.beforeHigh = high;
    this.beforeLow = low;
    this.at = at + width;
    this.count++;
    return true;
  }
}
