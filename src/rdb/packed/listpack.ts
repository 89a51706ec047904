import { PackedReader } from './packed-reader.ts';

/**
 * Listpack: total bytes (4), count (2, 65535 when unknown), elements, 0xff. Each element is followed by its own
 * size, written backwards in 7-bit groups. Source: redis src/listpack.c.
 */
export class ListpackReader extends PackedReader {
  protected readonly name = 'listpack';

  protected openBlob(): void {
    const { data, first, limit } = this;
    const size = limit - first;
    this.at = first;
    if (size < 7) throw this.fault(`${size} bytes are too few`);
    const total = data.readUInt32LE(first);
    if (total !== size) throw this.fault(`its header says ${total} bytes, it has ${size}`);
    if (data[limit - 1] !== 0xff) throw this.fault('it has no end mark', limit - 1);
    this.at = first + 6;
  }

  announced(): number {
    const count = this.data.readUInt16LE(this.first + 4);
    return count === 0xffff ? -1 : count;
  }

  next(): boolean {
    const { data, at } = this;
    const last = this.limit - 1;
    const lead = data[at]!;
    let size: number;
    if (lead < 0x80) {
      size = 1;
      this.isInteger = true;
      this.low = lead;
      this.high = 0;
    } else if (lead < 0xc0) {
      const length = lead & 0x3f;
      size = 1 + length;
      this.isInteger = false;
      this.buf = data;
      this.start = at + 1;
      this.end = at + size;
    } else if (lead === 0xff) {
      return this.finish();
    } else {
      size = this.readLong(lead);
    }
    const after = at + size;
    if (after >= last) throw this.fault('an element passes the end');
    if (size < 128) {
      if (data[after] !== size) throw this.fault('an element and the size behind it disagree');
      this.at = after + 1;
    } else {
      this.checkBackLength(after, size);
    }
    this.count++;
    return true;
  }

  private readLong(lead: number): number {
    const { data, at, limit } = this;
    if (lead < 0xe0) {
      const value = ((lead & 0x1f) << 8) | data[at + 1]!;
      this.setInteger((value << 19) >> 19);
      return 2;
    }
    if (lead < 0xf0) {
      const length = ((lead & 0x0f) << 8) | data[at + 1]!;
      this.setBytes(at + 2, length);
      return 2 + length;
    }
    const size = lead === 0xf0 ? 5 : lead <= 0xf3 ? lead - 0xee : 9;
    if (lead > 0xf4) throw this.fault('unknown element encoding');
    if (at + size >= limit) throw this.fault('an element passes the end');
    if (lead === 0xf0) {
      const length = data.readUInt32LE(at + 1);
      this.setBytes(at + 5, length);
      return 5 + length;
    }
    if (lead === 0xf1) this.setInteger(data.readInt16LE(at + 1));
    else if (lead === 0xf2) this.setInteger(data.readIntLE(at + 1, 3));
    else if (lead === 0xf3) this.setInteger(data.readInt32LE(at + 1));
    else {
      this.isInteger = true;
      this.low = data.readInt32LE(at + 1);
      this.high = data.readInt32LE(at + 5);
    }
    return size;
  }

  private checkBackLength(after: number, size: number): void {
    // The bounds are Redis's own, one less than would fit.
    const bytes = size < 16_383 ? 2 : size < 2_097_151 ? 3 : size < 268_435_455 ? 4 : 5;
    if (after + bytes >= this.limit) throw this.fault('an element passes the end');
    let found = 0;
    for (let index = 0; index < bytes; index++) {
      const byte = this.data[after + index]!;
      if (byte < 0x80 !== (index === 0)) throw this.fault('the size behind an element is malformed');
      found = found * 128 + (byte & 0x7f);
    }
    if (found !== size) throw this.fault('an element and the size behind it disagree');
    this.at = after + bytes;
  }

  private finish(): false {
    if (this.at !== this.limit - 1) throw this.fault('it ends before its last byte');
    const announced = this.announced();
    if (announced >= 0 && announced !== this.count) {
      throw this.fault(`its header says ${announced} elements, it has ${this.count}`);
    }
    return false;
  }
}
