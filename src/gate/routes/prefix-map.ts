/**
 * Which of some prefixes a key begins with: the longest one wins. Prefixes and keys are bytes. A key's first byte rules
 * most of them out, so that a key of none costs next to nothing.
 */
export class PrefixMap {
  /** By the first byte, the longest first; the empty prefix is not here: what fits none is the caller's. */
  readonly #byFirst: (Entry[] | undefined)[] = new Array<Entry[] | undefined>(256).fill(undefined);
  readonly #entries: Entry[];

  /** @param prefixes none of them empty, and none there twice; `lane` is what `find` answers */
  constructor(prefixes: readonly { prefix: string; lane: number }[]) {
    this.#entries = prefixes
      .map(({ prefix, lane }) => ({ bytes: Buffer.from(prefix), lane }))
      .sort((a, b) => b.bytes.length - a.bytes.length);
    for (const entry of this.#entries) {
      const first = entry.bytes[0] as number;
      this.#byFirst[first] = [...(this.#byFirst[first] ?? []), entry];
    }
  }

  /** Of the key in `buf[start, end)`; undefined when it begins with none. */
  find(buf: Uint8Array, start: number, end: number): Found | undefined {
    if (start >= end) return undefined;
    const entries = this.#byFirst[buf[start] as number];
    if (entries === undefined) return undefined;
    for (const entry of entries) if (isAt(entry.bytes, buf, start, end)) return entry;
    return undefined;
  }

  /**
   * For a pattern as of KEYS and SCAN: where all that it can match is; undefined when that is where no prefix leads; `many`
   * when some of it may be elsewhere.
   */
  findPattern(pattern: Uint8Array): Found | 'many' | undefined {
    const special = pattern.findIndex((byte) => specials.has(byte));
    const literal = special < 0 ? pattern : pattern.subarray(0, special);
    const below = ({ bytes }: Entry) =>
      bytes.length > literal.length && Buffer.compare(bytes.subarray(0, literal.length), literal) === 0;
    if (special >= 0 && this.#entries.some(below)) return 'many';
    return this.find(literal, 0, literal.length);
  }
}

export interface Found {
  readonly lane: number;
  /** The prefix itself. */
  readonly bytes: Uint8Array;
}

type Entry = Found & { readonly bytes: Buffer };

/** `*`, `?`, `[` and `\` of a pattern. */
const specials = new Set([42, 63, 91, 92]);

function isAt(prefix: Uint8Array, buf: Uint8Array, start: number, end: number): boolean {
  if (end - start < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) if (buf[start + at] !== prefix[at]) return false;
  return true;
}
