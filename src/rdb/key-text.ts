/**
 * A pattern as it is typed, to the bytes that are meant: `\\xNN` is the byte of that value, as keys are shown in messages,
 * since no terminal takes bytes that are not text. It stands for itself where it would mean something. Everything else
 * is as in KEYS, where a backslash before x means x: nobody needs that.
 */
export function patternBytes(text: string): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { index, 0: whole, 1: digits } of text.matchAll(/\\(?:x([0-9a-fA-F]{2})|[\s\S])/g)) {
    // A backslash that belongs to what follows it is passed over with it.
    if (digits === undefined) continue;
    const byte = Number.parseInt(digits, 16);
    pieces.push(Buffer.from(text.slice(from, index)));
    pieces.push(Buffer.from(special.has(byte) ? [backslash, byte] : [byte]));
    from = index + whole.length;
  }
  pieces.push(Buffer.from(text.slice(from)));
  return Buffer.concat(pieces);
}

const backslash = 0x5c;
const special = new Set(Buffer.from('*?[]^-\\'));
