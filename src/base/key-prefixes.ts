/** Which keys somebody means: those that begin with one of some texts; all of them where there is none. Pure. */

/** For `keysUnder`, and for whoever compares. Empty: every key. */
export type KeyPrefixes = readonly string[];

/** Whether a key is one of those. */
export function keysUnder(prefixes: KeyPrefixes): (key: Buffer) => boolean {
  if (prefixes.length === 0) return () => true;
  const texts = prefixes.map((prefix) => Buffer.from(prefix));
  return (key) => texts.some((text) => isUnder(key, text));
}

export function isUnder(key: Buffer, prefix: Buffer): boolean {
  const { length } = prefix;
  return key.length >= length && key.compare(prefix, 0, length, 0, length) === 0;
}

/** Those that both mean; undefined when no key belongs to both. */
export function commonPrefixes(a: KeyPrefixes, b: KeyPrefixes): KeyPrefixes | undefined {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const both = a.flatMap((one) =>
    b.flatMap((other) => (one.startsWith(other) ? [one] : other.startsWith(one) ? [other] : [])),
  );
  return both.length === 0 ? undefined : [...new Set(both)];
}

/** The pattern for SCAN and KEYS of what begins with this text. */
export function patternUnder(prefix: string): string {
  return `${prefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`;
}
