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

/** The words of a line of redis.conf, as Redis reads them; undefined when a quote is not closed. The inverse of `directive`. */
export function redisWords(line: string): string[] | undefined {
  const words: string[] = [];
  const bare = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']\S*))(?=\s|$)/sy;
  while (bare.lastIndex < line.trimEnd().length) {
    const match = bare.exec(line);
    if (match === null) return undefined;
    const [, double, single, plain] = match;
    words.push(double === undefined ? (single?.replaceAll("\\'", "'") ?? plain ?? '') : unescaped(double));
  }
  return words;
}

function unescaped(text: string): string {
  const named: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
  const bytes = text.replace(/\\(?:x([0-9a-f]{2})|(.))/gis, (_, hex: string | undefined, char: string) =>
    hex === undefined ? (named[char] ?? char) : `\0${hex}`,
  );
  // Escaped bytes may be pieces of one letter.
  return bytes.replace(/(?:\0[0-9a-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll('\0', ''), 'hex').toString('utf8'),
  );
}
