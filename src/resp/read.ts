import { Buffer } from 'node:buffer';
import { COLON, CR, DOLLAR, PLUS, readLength, STAR, TILDE } from './bytes.ts';

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

/** In the place of a reply that was longer than somebody wanted to hold. */
export class OverlongReply extends ReplyError {
  constructor(bytes: number) {
    super(`OVERLONG the reply has ${bytes} bytes, and nobody held them`);
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

const queuedBytes = Buffer.from('QUEUED');

/** Whoever writes much reads millions of OK and QUEUED. */
function statusIn(buf: Buffer, from: number, cr: number): string {
  if (cr - from === 2 && buf[from] === 0x4f && buf[from + 1] === 0x4b) return 'OK';
  if (cr - from === queuedBytes.length) {
    let at = 0;
    while (at < queuedBytes.length && buf[from + at] === queuedBytes[at]) at++;
    if (at === queuedBytes.length) return 'QUEUED';
  }
  return buf.toString('utf8', from, cr);
}

/**
 * A gate that starts reads some ten thousand of these in one reply, COMMAND's, while clients wait and before any of this
 * code is compiled: lengths and numbers are read where they lie, without a string in between.
 */
function readOne(cursor: Cursor): Reply {
  const { buf, pos, end } = cursor;
  const from = pos + 1;
  let cr = from;
  while (cr < end && buf[cr] !== CR) cr++;
  cursor.pos = cr + 2;
  switch (buf[pos]) {
    case DOLLAR:
      return readBytes(cursor, readLength(buf, from, cr) ?? -1);
    case PLUS:
      return statusIn(buf, from, cr);
    case STAR:
    case TILDE: {
      const count = readLength(buf, from, cr) ?? 0;
      return count < 0 ? null : readItems(cursor, count);
    }
    case COLON:
      return readLength(buf, from, cr) ?? readInteger(buf.toString('latin1', from, cr));
    default:
      return readRare(cursor, String.fromCharCode(buf[pos] as number), buf.toString('utf8', from, cr));
  }
}

function readRare(cursor: Cursor, type: string, line: string): Reply {
  switch (type) {
    case '-':
      return new ReplyError(line);
    case '_':
      return null;
    case '#':
      return line === 't';
    case ',':
      return readDouble(line);
    case '(':
      return BigInt(line);
    case '!': {
      const text = readBytes(cursor, Number(line));
      return new ReplyError(text === null ? '' : text.toString());
    }
    case '=': {
      const text = readBytes(cursor, Number(line));
      return text === null ? null : cursor.raw ? text.slice(4) : text.toString().slice(4);
    }
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

/** Null for a length below zero. */
function readBytes(cursor: Cursor, length: number): string | Buffer | null {
  if (length < 0) return null;
  const start = cursor.pos;
  cursor.pos = start + length + 2;
  if (!cursor.raw) return cursor.buf.toString('utf8', start, start + length);
  // A copy: the caller's buffer is used again for the next read.
  const bytes = Buffer.allocUnsafe(length);
  cursor.buf.copy(bytes, 0, start, start + length);
  return bytes;
}

/** Pushes among them are none of them: see reply.ts. */
function readItems(cursor: Cursor, count: number): Reply[] {
  const items: Reply[] = [];
  while (items.length < count) {
    const item = readOne(cursor);
    if (!(item instanceof Push)) items.push(item);
  }
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
