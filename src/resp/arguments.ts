import { Buffer } from 'node:buffer';

/** The arguments of a request that `frameRequest` found to be whole. They share the request's memory. */
export function readArguments(buf: Buffer, start: number, end: number): Buffer[] {
  const args: Buffer[] = [];
  // As the server reads: the two bytes from the CR on are skipped, whatever the second is.
  let pos = buf.indexOf('\r', start) + 2;
  while (pos < end) {
    const cr = buf.indexOf('\r', pos);
    const length = Number(buf.toString('latin1', pos + 1, cr));
    args.push(buf.subarray(cr + 2, cr + 2 + length));
    pos = cr + 2 + length + 2;
  }
  return args;
}

/**
 * Splits an inline request into its words as Redis's `sdssplitargs` does: words may stand in double quotes, with
 * `\n \r \t \b \a \xHH` and `\anything`, or in single quotes, with `\'` only; a closing quote must be followed by
 * a space or the end. Undefined when the quotes are unbalanced.
 */
export function splitInline(line: Buffer): Buffer[] | undefined {
  const words: Buffer[] = [];
  let pos = 0;
  for (;;) {
    while (pos < line.length && isSpace(line[pos])) pos++;
    if (pos >= line.length || line[pos] === 0) return words;
    const bytes: number[] = [];
    const next = readWord(line, pos, bytes);
    if (next === undefined) return undefined;
    pos = next;
    words.push(Buffer.from(bytes));
  }
}

function readWord(line: Buffer, start: number, bytes: number[]): number | undefined {
  let pos = start;
  while (pos < line.length && line[pos] !== 0) {
    const byte = line[pos] as number;
    if (isSpace(byte)) break;
    if (byte === DOUBLE || byte === SINGLE) {
      const after = byte === DOUBLE ? readDouble(line, pos + 1, bytes) : readSingle(line, pos + 1, bytes);
      if (after === undefined) return undefined;
      return after < line.length && !isSpace(line[after]) && line[after] !== 0 ? undefined : after;
    }
    bytes.push(byte);
    pos++;
  }
  return pos;
}

const DOUBLE = 34;
const SINGLE = 39;
const BACKSLASH = 92;
const escapes = new Map<string, number>(Object.entries({ n: 10, r: 13, t: 9, b: 8, a: 7 }));

function readDouble(line: Buffer, start: number, bytes: number[]): number | undefined {
  for (let pos = start; pos < line.length; pos++) {
    const byte = line[pos] as number;
    // To the server the line ends here.
    if (byte === 0) return undefined;
    if (byte === DOUBLE) return pos + 1;
    if (byte !== BACKSLASH || pos + 1 >= line.length || line[pos + 1] === 0) {
      bytes.push(byte);
      continue;
    }
    const hex = /^x([0-9a-f]{2})/i.exec(line.toString('latin1', pos + 1, pos + 4));
    if (hex) {
      bytes.push(Number.parseInt(hex[1] as string, 16));
      pos += 3;
    } else {
      pos++;
      bytes.push(escapes.get(String.fromCharCode(line[pos] as number)) ?? (line[pos] as number));
    }
  }
  return undefined;
}

function readSingle(line: Buffer, start: number, bytes: number[]): number | undefined {
  for (let pos = start; pos < line.length; pos++) {
    const byte = line[pos] as number;
    if (byte === 0) return undefined;
    if (byte === SINGLE) return pos + 1;
    if (byte === BACKSLASH && line[pos + 1] === SINGLE) {
      bytes.push(SINGLE);
      pos++;
    } else bytes.push(byte);
  }
  return undefined;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);
}
