/**
 * Patterns of keys as KEYS and SCAN have them: `*`, `?`, `[abc]`, `[^a-z]`, backslash. Over bytes. Source: redis
 * src/util.c (stringmatchlen), which this follows also where a bracket is never closed.
 */
export class KeyPattern {
  private readonly pattern: Buffer;

  constructor(pattern: string | Buffer) {
    this.pattern = Buffer.from(pattern);
  }

  /** Whether key[from, to) matches. Backtracks only to the last star, so it takes no more than length squared. */
  matches(key: Uint8Array, from: number, to: number): boolean {
    const { pattern } = this;
    let at = from;
    let next = 0;
    let star = -1;
    let starAt = 0;
    while (at < to) {
      if (next < pattern.length && pattern[next] === 0x2a) {
        star = next++;
        starAt = at;
        continue;
      }
      const after = next < pattern.length ? this.matchOne(next, key[at]!) : -1;
      if (after >= 0) {
        next = after;
        at++;
      } else if (star >= 0) {
        next = star + 1;
        at = ++starAt;
      } else {
        return false;
      }
    }
    while (next < pattern.length && pattern[next] === 0x2a) next++;
    return next === pattern.length;
  }

  /** Where the pattern goes on when its element at `at` matches the byte; -1 when it does not. */
  private matchOne(at: number, byte: number): number {
    const { pattern } = this;
    const lead = pattern[at]!;
    if (lead === 0x3f) return at + 1;
    if (lead === 0x5b) return this.matchClass(at + 1, byte);
    if (lead === 0x5c && at + 1 < pattern.length) return pattern[at + 1] === byte ? at + 2 : -1;
    return lead === byte ? at + 1 : -1;
  }

  private matchClass(start: number, byte: number): number {
    const { pattern } = this;
    let at = start;
    const negated = pattern[at] === 0x5e;
    if (negated) at++;
    let found = false;
    for (; at < pattern.length && pattern[at] !== 0x5d; at++) {
      if (pattern[at] === 0x5c && at + 1 < pattern.length) {
        at++;
        if (pattern[at] === byte) found = true;
      } else if (pattern[at + 1] === 0x2d && at + 2 < pattern.length) {
        const low = Math.min(pattern[at]!, pattern[at + 2]!);
        const high = Math.max(pattern[at]!, pattern[at + 2]!);
        if (byte >= low && byte <= high) found = true;
        at += 2;
      } else if (pattern[at] === byte) {
        found = true;
      }
    }
    return found !== negated ? Math.min(at + 1, pattern.length) : -1;
  }
}

/** Whether one of them matches a key; every key, when there are none. */
export function matchedBy(patterns: readonly KeyPattern[]): (key: Buffer) => boolean {
  return (key) => patterns.length === 0 || patterns.some((pattern) => pattern.matches(key, 0, key.length));
}
