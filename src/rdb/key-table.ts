const tableBits = 10;
const fewestSlots = 64;

/**
 * A set of key hashes that grows by small steps: 1024 open-addressed tables, each doubled by itself, so that growing
 * never needs twice the memory. The table and two words of the slot keep 73 bits of a hash: among five million keys
 * two are mistaken for each other with a probability of about 10^-9. From 12 to 24 bytes a key.
 */
export class KeyTable {
  size = 0;
  private readonly parts: Part[];

  /** @param expected how many keys to make room for at once; more may come. */
  constructor(expected = 0) {
    // Parts differ in size by chance: a tenth more than the mean spares most of them from growing.
    const mean = (expected * 1.1) / (1 << tableBits);
    let slots = fewestSlots;
    while ((slots * 2) / 3 < mean) slots *= 2;
    this.parts = Array.from({ length: 1 << tableBits }, () => ({
      slots: new Int32Array(slots * 2),
      mask: slots * 2 - 2,
      room: Math.floor((slots * 2) / 3),
    }));
  }

  /** Adds the three words of a hash; false when it was there already. */
  add(a: number, b: number, c: number): boolean {
    const part = this.parts[a >>> (32 - tableBits)]!;
    const { slots, mask } = part;
    const first = b;
    // A slot is free when its second word is 0, so no hash may have that.
    const second = c | 1;
    let at = (first << 1) & mask;
    for (;;) {
      const found = slots[at + 1]!;
      if (found === 0) break;
      if (found === second && slots[at] === first) return false;
      at = (at + 2) & mask;
    }
    slots[at] = first;
    slots[at + 1] = second;
    this.size++;
    if (--part.room === 0) grow(part);
    return true;
  }
}

interface Part {
  slots: Int32Array;
  mask: number;
  /** Keys that may be added before it must grow: two thirds full is enough. */
  room: number;
}

function grow(part: Part): void {
  const old = part.slots;
  const slots = new Int32Array(old.length * 2);
  const mask = slots.length - 2;
  let used = 0;
  for (let from = 0; from < old.length; from += 2) {
    const second = old[from + 1]!;
    if (second === 0) continue;
    let at = (old[from]! << 1) & mask;
    while (slots[at + 1] !== 0) at = (at + 2) & mask;
    slots[at] = old[from]!;
    slots[at + 1] = second;
    used++;
  }
  part.slots = slots;
  part.mask = mask;
  part.room = Math.floor(slots.length / 3) - used;
}
