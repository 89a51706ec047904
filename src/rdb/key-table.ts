import type { KeyHash } from './key-hash.ts';

const tableBits = 8;
const tables = 1 << tableBits;
const slotWords = 3;

/**
 * A set of key hashes that grows by small steps: 256 open-addressed tables, each doubled by itself, so that growing
 * never needs twice the memory. About 17 bytes a key.
 */
export class KeyTable {
  size = 0;
  private readonly parts: Part[] = Array.from({ length: tables }, () => ({
    slots: new Int32Array(64 * slotWords),
    used: 0,
  }));

  /** Adds the hash; false when it was there already. */
  add(hash: KeyHash): boolean {
    const part = this.parts[hash.a >>> (32 - tableBits)]!;
    if (!insert(part, hash.a, hash.b, hash.c)) return false;
    this.size++;
    if (part.used * 10 > (part.slots.length / slotWords) * 8) grow(part);
    return true;
  }
}

interface Part {
  slots: Int32Array;
  used: number;
}

/** A slot of zeros is free: that a key hashes to 96 zeros is as likely as that two keys collide. */
function insert(part: Part, a: number, b: number, c: number): boolean {
  const { slots } = part;
  const count = slots.length / slotWords;
  const mask = count - 1;
  for (let slot = b & mask; ; slot = (slot + 1) & mask) {
    const at = slot * slotWords;
    const found = slots[at]!;
    if (found === 0 && slots[at + 1] === 0 && slots[at + 2] === 0) {
      slots[at] = a;
      slots[at + 1] = b;
      slots[at + 2] = c;
      part.used++;
      return true;
    }
    if (found === a && slots[at + 1] === b && slots[at + 2] === c) return false;
  }
}

function grow(part: Part): void {
  const old = part.slots;
  part.slots = new Int32Array(old.length * 2);
  part.used = 0;
  for (let at = 0; at < old.length; at += slotWords) {
    const a = old[at]!;
    const b = old[at + 1]!;
    const c = old[at + 2]!;
    if (a !== 0 || b !== 0 || c !== 0) insert(part, a, b, c);
  }
}
