import { PackedReader } from './packed-reader.ts';

/**
 * Ziplist, what listpacks replaced in Redis 7: total bytes (4), offset of the last element (4), count (2, 65535
 * when unknown), elements, 0xff. Each element starts with the size of the one before it. Source: redis
 * src/ziplist.c.
 */
export class ZiplistReader extends PackedReader {
  protected readonly name = 'ziplist';
  private previous = 0;
  private lastStart = 0;

  protected openBlob(): void {
    const { data, first, limit } = this;
    const size = limit - first;
    this.at = first;
    if (size < 11) throw this.fault(`${size} bytes are too few`);
    const total = data.readUInt32LE(first);
    if (total !== size) throw this.fault(`its header says ${total} bytes, it has ${size}`);
    if (data[limit - 1] !== 0xff) throw this.fault('it has no end mark', limit - 1);
    this.at = first + 10;
    this.previous = 0;
    this.lastStart = this.at;
  }

  announced(): number {
    const count = this.data.readUInt16LE(this.first + 8);
    return count === 0xffff ? -1 : count;
  }

  next(): boolean {
    const { data } = this;
    const start = this.at;
    const lead = data[start]!;
    if (lead === 0xff) return this.finish();
    let at = start + 1;
    let previous = lead;
    if (lead === 0xfe) {
      if (start + 5 >= this.limit) throw this.fault('an element passes the end');
      previous = data.readUInt32LE(start + 1);
      at = start + 5;
    }
    if (previous !== this.previous) {
      throw this.fault(`an element says ${previous} bytes stand before it, there are ${this.previous}`);
    }
    const after = this.readElement(at);
    if (after >= this.limit) throw this.fault('an element passes the end');
    this.lastStart = start;
    this.previous = after - start;
    this.at = after;
    this.count++;
    return true;
  }

  /** Reads the element whose encoding stands at `at`; returns where it ends. */
  private readElement(at: number): number {
    const { data, limit } = this;
    const lead = data[at]!;
    if (lead < 0x40) return this.readBytes(at + 1, lead);
    if (lead < 0x80) return this.readBytes(at + 2, ((lead & 0x3f) << 8) | data[at + 1]!);
    if (lead < 0xc0) {
      if (at + 5 >= limit) throw this.fault('an element passes the end');
      return this.readBytes(at + 5, data.readUInt32BE(at + 1));
    }
    if (lead >= 0xf1 && lead <= 0xfd) {
      this.setInteger((lead & 0x0f) - 1);
      return at + 1;
    }
    const size = integerSizes[lead];
    if (size === undefined) throw this.fault('unknown element encoding');
    if (at + size >= limit) throw this.fault('an element passes the end');
    if (size === 8) {
      this.isInteger = true;
      this.low = data.readInt32LE(at + 1);
      this.high = data.readInt32LE(at + 5);
    } else {
      this.setInteger(data.readIntLE(at + 1, size));
    }
    return at + 1 + size;
  }

  private readBytes(at: number, length: number): number {
    this.setBytes(at, length);
    return at + length;
  }

  private finish(): false {
    const { data, first } = this;
    if (this.at !== this.limit - 1) throw this.fault('it ends before its last byte');
    const tail = data.readUInt32LE(first + 4);
    if (tail !== this.lastStart - first) {
      throw this.fault(`its header puts the last element at ${tail}, it stands at ${this.lastStart - first}`);
    }
    const announced = this.announced();
    if (announced >= 0 && announced !== this.count) {
      throw this.fault(`its header says ${announced} elements, it has ${this.count}`);
    }
    return false;
  }
}

const integerSizes: Record<number, number> = { 192: 2, 208: 4, 224: 8, 240: 3, 254: 1 };
