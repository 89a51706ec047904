import type { StreamGroup, StreamInfo, ValueVisitor } from './body/visitor.ts';
import type { Kind } from './format.ts';
import { putExact } from './int64.ts';
import type { KeyHash } from './key-hash.ts';
import { vectorSet } from './module-types.ts';
import { VectorSetDigest } from './vector-set-digest.ts';

/**
 * Sums a value up in 64 bits that do not depend on how it is stored: the same hash as a listpack, as a ziplist or as
 * a table gives the same sum. Sets, hashes and sorted sets are added up element by element, so order does not
 * matter; lists and streams are chained, so it does.
 */
export class ValueDigest implements ValueVisitor {
  low = 0;
  high = 0;
  private readonly hash: KeyHash;
  private kind: Kind = 'string';
  private texts = 0;
  private partLow = 0;
  private partHigh = 0;
  private readonly double = Buffer.alloc(8);
  private vectorSet: VectorSetDigest | undefined;

  constructor(hash: KeyHash) {
    this.hash = hash;
  }

  begin(kind: Kind): void {
    this.kind = kind;
    this.low = 0;
    this.high = 0;
    this.texts = 0;
  }

  text(buf: Buffer, start: number, end: number): void {
    const { hash, kind } = this;
    this.texts++;
    if (kind === 'hash' && this.texts % 2 === 0) {
      hash.update(this.partLow, buf, start, end);
      this.addPart(hash.a ^ this.partHigh, hash.b);
      return;
    }
    if (kind === 'list' || kind === 'string' || kind === 'stream') {
      this.chainBytes(buf, start, end);
      return;
    }
    hash.update(0, buf, start, end);
    this.partLow = hash.a;
    this.partHigh = hash.b;
    if (kind === 'set') this.addPart(hash.a, hash.b);
  }

  score(value: number): void {
    this.double.writeDoubleLE(value === 0 ? 0 : value);
    this.hash.update(this.partLow, this.double, 0, 8);
    this.addPart(this.hash.a ^ this.partHigh, this.hash.b);
  }

  /** Counts with its field, whose hash still stands in the part. */
  fieldExpiry(atMs: bigint | undefined): void {
    if (atMs === undefined) return;
    putExact(this.double, 0, atMs);
    this.hash.update(this.partLow ^ this.partHigh, this.double, 0, 8);
    this.addPart(this.hash.a, this.hash.b);
  }

  streamEntry(id: string): void {
    this.chain(id);
  }

  /** Only what every version keeps: counts that older files do not have are not compared. */
  streamInfo(info: StreamInfo): void {
    this.chain(info.lastId);
  }

  streamGroup(group: StreamGroup): void {
    const consumers = group.consumers.map(({ name, pending }) => [name.toString('hex'), pending]);
    const pending = group.pending.map(
      ({ id, deliveredMs, deliveries }) =>
        `{"id":"${id}","deliveredMs":${deliveredMs},"deliveries":${deliveries}}`,
    );
    const head = `"${group.name.toString('hex')}","${group.lastId}"`;
    this.chain(`[${head},[${pending.join(',')}],${JSON.stringify(consumers)}]`);
  }

  moduleValue(name: string, version: number): void {
    this.chain(`${name} ${version}`);
    this.vectorSet = name === vectorSet && version === 0 ? new VectorSetDigest(this.hash) : undefined;
  }

  moduleInteger(high: number, low: number): void {
    const { double } = this;
    double.writeInt32LE(high | 0, 4);
    double.writeInt32LE(low | 0, 0);
    this.moduleBytes(double, 0, 8);
  }

  /** What a module stored is compared as it stands, but for vector sets: they are stored in another order each time. */
  moduleBytes(buf: Buffer, start: number, end: number): void {
    const { vectorSet: vectors } = this;
    if (vectors === undefined) this.chainBytes(buf, start, end);
    else if (vectors.take(buf, start, end)) this.addPart(vectors.low, vectors.high);
  }

  end(): void {}

  private chain(text: string): void {
    const bytes = Buffer.from(text);
    this.chainBytes(bytes, 0, bytes.length);
  }

  private chainBytes(bytes: Buffer, start: number, end: number): void {
    this.hash.update(this.low, bytes, start, end);
    this.low = this.hash.a;
    this.high = (Math.imul(this.high, 31) + this.hash.b) | 0;
  }

  private addPart(low: number, high: number): void {
    this.low = (this.low + low) | 0;
    this.high = (this.high + high) | 0;
  }
}
