/**
 * Sizes as redis.conf writes them, case aside: `1k` is 1000 bytes and `1kb` is 1024, and so on for m, g and t.
 * Source: the note on units at the top of the redis.conf that Redis ships.
 */

const unitBytes = new Map<string, number>(
  Object.entries({
    '': 1,
    b: 1,
    k: 1e3,
    kb: 2 ** 10,
    m: 1e6,
    mb: 2 ** 20,
    g: 1e9,
    gb: 2 ** 30,
    t: 1e12,
    tb: 2 ** 40,
  }),
);

/** Bytes, or undefined when the text is not a size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?b?)$/i.exec(text.trim());
  if (!match) return undefined;
  const bytes = Math.round(Number(match[1]) * (unitBytes.get((match[2] as string).toLowerCase()) as number));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest exact form in powers of 1024: 4294967296 gives `4gb`, 1500 gives `1500`. Inverse of parseSize. */
export function formatSize(bytes: number): string {
  for (const unit of ['tb', 'gb', 'mb', 'kb']) {
    const size = unitBytes.get(unit) as number;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

/** A rounded form for people: `812 B`, `1.4 KiB`, `3.2 GiB`. */
export function describeSize(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1024) return unit === 'B' ? `${Math.round(value)} B` : `${value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}
