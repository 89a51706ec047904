import { PackedReader } from './packed-reader.ts';

/**
 * Zipmap, small hashes of Redis 2.4 and before: count (1, 254 or more when unknown), then length, field, length,
 * free, value, free bytes unused; 0xff. A length is one byte below 254, or 254 and four. Source: redis
 * src/zipmap.c. Its elements come as field, value, field, value.
 */
export class ZipmapReader extends PackedReader {
  protected readonly name = 'zipmap';
  private isValue = false;

  protected openBlob(): void {
    this.at = this.first;
    if (this.limit - this.first < 2) throw this.fault('it has too few bytes');
    if (this.data[this.limit - 1] !== 0xff) throw this.fault('it has no end mark', this.limit - 1);
    this.at = this.first + 1;
    this.isValue = false;
  }

  announced(): number {
    const pairs = this.data[this.first]!;
    return pairs < 254 ? pairs * 2 : -1;
  }

  next(): boolean {
    const { data, limit } = this;
    const lead = data[this.at]!;
    if (lead === 0xff) return this.finish();
    let at = this.at + 1;
    let length = lead;
    if (lead === 0xfe) {
      if (at + 4 >= limit) throw this.fault('an element passes the end');
      length = data.readUInt32LE(at);
      at += 4;
    }
    let free = 0;
    if (this.isValue) {
      if (at >= limit) throw this.fault('an element passes the end');
      free = data[at]!;
      at += 1;
    }
    if (at + length + free >= limit) throw this.fault('an element passes the end');
    this.setBytes(at, length);
    this.at = at + length + free;
    this.isValue = !this.isValue;
    this.count++;
    return true;
  }

  private finish(): false {
    if (this.at !== this.limit - 1) throw this.fault('it ends before its last byte');
    if (this.isValue) throw this.fault('a field has no value');
    const announced = this.announced();
    if (announced >= 0 && announced !== this.count) {
      throw this.fault(`its header says ${announced / 2} fields, it has ${this.count / 2}`);
    }
    return false;
  }
}
