import { Buffer } from 'node:buffer';
import { readLength } from './bytes.ts';

/** An error reply, as a value: in an array it stands beside other values. */
export class ReplyError {
  /** The first word, in capitals: `READONLY`, `NOAUTH`, `ERR`. */
  readonly kind: string;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.kind = text.split(' ', 1)[0] as string;
  }
}

/** A push message of RESP3, which answers no request. */
export class Push {
  readonly items: Reply[];

  constructor(items: Reply[]) {
    this.items = items;
  }
}

/** Maps are flat arrays of keys and values, as RESP2 gives them, so that callers need one way for both protocols. */
export type Reply = string | Buffer | number | bigint | boolean | null | ReplyError | Push | Reply[];

/**
 * Reads the reply in `buf[pos, end)`, which `frameReply` found to be whole. Bulk strings are UTF-8 strings, or
 * Buffers when `raw` is true.
 */
export function readReply(buf: Buffer, pos: number, end: number, raw = false): Reply {
  return readOne({ buf, pos, end, raw });
}

interface Cursor {
  buf: Buffer;
  pos: number;
  readonly end: number;
  readonly raw: boolean;
}

function readOne(cursor: Cursor): Reply {
  const type = String.fromCharCode(cursor.buf[cursor.pos] as number);
  const line = readLine(cursor);
  switch (type) {
    case '+':
      return line;
    case '-':
      return new ReplyError(line);
    case ':':
      return readInteger(line);
    case '_':
      return null;
    case '#':
      return line === 't';
    case ',':
      return readDouble(line);
    case '(':
      return BigInt(line);
    case '$':
      return readBytes(cursor, line);
    case '!': {
      const text = readBytes(cursor, line);
      return new ReplyError(text === null ? '' : text.toString());
    }
    case '=': {
      const text = readBytes(cursor, line);
      return text === null ? null : cursor.raw ? text.slice(4) : text.toString().slice(4);
    }
    case '*':
    case '~':
      return line === '-1' ? null : readItems(cursor, Number(line));
    case '>':
      return new Push(readItems(cursor, Number(line)));
    case '%':
      return readItems(cursor, Number(line) * 2);
    case '|':
      readItems(cursor, Number(line) * 2);
      return readOne(cursor);
    default:
      throw new TypeError(`not a reply: type '${type}'`);
  }
}

function readLine(cursor: Cursor): string {
  const cr = cursor.buf.indexOf('\r\n', cursor.pos);
  const line = cursor.buf.toString('utf8', cursor.pos + 1, cr);
  cursor.pos = cr + 2;
  return line;
}

function readBytes(cursor: Cursor, line: string): string | Buffer | null {
  const length = readLength(Buffer.from(line), 0, line.length) ?? -1;
  if (length < 0) return null;
  const start = cursor.pos;
  cursor.pos = start + length + 2;
  // A copy: the caller's buffer is used again for the next read.
  return cursor.raw
    ? Buffer.from(cursor.buf.subarray(start, start + length))
    : cursor.buf.toString('utf8', start, start + length);
}

function readItems(cursor: Cursor, count: number): Reply[] {
  const items: Reply[] = [];
  for (let index = 0; index < count; index++) items.push(readOne(cursor));
  return items;
}

/** Integers have 64 bits: what no number holds exactly is a bigint. */
function readInteger(line: string): number | bigint {
  const number = Number(line);
  return Number.isSafeInteger(number) || !/^[+-]?\d+$/.test(line) ? number : BigInt(line);
}

function readDouble(line: string): number {
  if (line === 'inf') return Number.POSITIVE_INFINITY;
  if (line === '-inf') return Number.NEGATIVE_INFINITY;
  return Number(line);
}
