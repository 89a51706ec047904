/**
 * Sums a vector set up by what it holds: dimension, quantisation, and each element with its vector and attributes. A server
 * keeps a graph beside them that it builds anew, in another order, when it loads one; that says nothing of the data.
 * Source: redis 8 `modules/vector-sets/vset.c` (VectorSetRdbSave) and `hnsw.c` (hnsw_serialize_node).
 *
 * - Integers: dimension; how many elements; quantisation in the lowest 8 bits, and links per node in the next 16 (0 in old
 *   files, for 16); flags: 1 for a projection, 2 for attributes.
 * - With a projection: an integer, the dimension that comes in, and a string, the matrix.
 * - Each element: a string, its name; with attributes, a string, empty for none; a string, the vector; an integer, how many
 *   integers of the graph follow. The last of those is no link: it has the vector's length and range.
 */
import type { KeyHash } from './key-hash.ts';

const steps = [
  'dimension',
  'count',
  'config',
  'flags',
  'input',
  'matrix',
  'name',
  'attributes',
  'vector',
  'links',
] as const;
type Step = (typeof steps)[number] | 'link';

const hasProjection = 1;
const hasAttributes = 2;
const usualLinks = 16;

export class VectorSetDigest {
  /** Of what was taken last, when that ends something; to be added to the sum of the whole. */
  low = 0;
  high = 0;
  private readonly hash: KeyHash;
  private step: Step = 'dimension';
  private flags = 0;
  private linksLeft = 0;

  constructor(hash: KeyHash) {
    this.hash = hash;
  }

  /** Takes the next part; an integer as its 8 bytes, lowest first. @returns whether there is something to add. */
  take(buf: Buffer, start: number, end: number): boolean {
    const number = end - start >= 4 ? buf.readUInt32LE(start) : 0;
    switch (this.step) {
      case 'dimension':
        this.step = 'count';
        return this.single(buf, start, end);
      case 'count':
        this.step = 'config';
        return false;
      case 'config':
        this.step = 'flags';
        return this.single(withLinks(number), 0, 4);
      case 'flags':
        this.flags = number;
        this.step = number & hasProjection ? 'input' : 'name';
        return false;
      case 'input':
        this.step = 'matrix';
        return this.single(buf, start, end);
      case 'matrix':
        this.step = 'name';
        return this.single(buf, start, end);
      case 'name':
        this.step = this.flags & hasAttributes ? 'attributes' : 'vector';
        this.low = 0;
        this.high = 0;
        return this.goOn(buf, start, end);
      case 'attributes':
        this.step = 'vector';
        // An element without any is the same in a set of which another has some.
        return start === end ? false : this.goOn(buf, start, end);
      case 'vector':
        this.step = 'links';
        return this.goOn(buf, start, end);
      case 'links':
        this.linksLeft = number;
        this.step = number > 0 ? 'link' : 'name';
        return number === 0;
      case 'link':
        if (--this.linksLeft > 0) return false;
        this.step = 'name';
        this.goOn(buf, start, end);
        return true;
    }
  }

  /** Something by itself; its step tells it from the same bytes elsewhere. */
  private single(buf: Buffer, start: number, end: number): true {
    this.hash.update(steps.indexOf(this.step as (typeof steps)[number]), buf, start, end);
    this.low = this.hash.a;
    this.high = this.hash.b;
    return true;
  }

  private goOn(buf: Buffer, start: number, end: number): false {
    this.hash.update(this.low, buf, start, end);
    this.low = this.hash.a;
    this.high = (Math.imul(this.high, 31) + this.hash.b) | 0;
    return false;
  }
}

function withLinks(config: number): Buffer {
  const whole = (config >>> 8) & 0xffff ? config : config | (usualLinks << 8);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(whole & 0xffffff);
  return bytes;
}
