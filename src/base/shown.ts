/**
 * Text that came from outside, made fit to be shown to a person: what could move a cursor, begin a new line, hide, or
 * turn the direction of the rest stands as an escape instead. Letters of every script stay as they are.
 */

// Control characters (C0, DEL, C1), lone surrogates, marks of direction, line and paragraph separators, and what takes
// no room: zero-width characters, the soft hyphen, tags.
const unfit =
  /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** @param longest characters (UTF-16) that are shown; what is beyond is counted. */
export function shown(text: string, longest = 500): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
  return cut.replace(unfit, escaped);
}

/** Every text in an answer, at whatever depth, made fit to be shown; names of fields are ours. */
export function shownIn<T>(value: T): T {
  if (typeof value === 'string') return shown(value, Number.POSITIVE_INFINITY) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => shownIn(each)) as T;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shownIn(each)])) as T;
}

/** The same for text that others' words may have slipped into: tabs and line ends stay. */
export function shownText(text: string): string {
  return escapedBut(text, /([\n\t])/);
}

/** The same for one line: what would begin another stands as an escape too. */
export function shownLine(text: string): string {
  return escapedBut(text, /(\t)/);
}

function escapedBut(text: string, kept: RegExp): string {
  const pieces = text.split(kept);
  return pieces.map((piece, index) => (index % 2 === 1 ? piece : piece.replace(unfit, escaped))).join('');
}

function escaped(character: string): string {
  const names: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  const code = character.codePointAt(0) ?? 0;
  if (code > 0xffff) return `\\u{${code.toString(16)}}`;
  return names[character] ?? `\\u${code.toString(16).padStart(4, '0')}`;
}
