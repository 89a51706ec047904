/**
 * Quoting for redis.conf and sentinel.conf, which Redis reads with `sdssplitargs` (src/sds.c): words are split at
 * spaces; in double quotes, backslash escapes `\\`, `\"`, `\n` and `\xHH`.
 */

/** A value as one word of redis.conf, whatever bytes it has. */
export function redisWord(value: string | number): string {
  const text = String(value);
  if (/^[A-Za-z0-9_./:@+,=*~&%-]+$/.test(text)) return text;
  const bytes = [...Buffer.from(text, 'utf8')].map((byte) => {
    const char = String.fromCharCode(byte);
    if (char === '"' || char === '\\') return `\\${char}`;
    return byte >= 0x20 && byte < 0x7f ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `"${bytes.join('')}"`;
}

/** One directive: its name, and each value as one word. */
export function directive(name: string, ...values: (string | number)[]): string {
  return [name, ...values.map(redisWord)].join(' ');
}
