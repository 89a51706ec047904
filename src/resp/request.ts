import { CR, DOLLAR, findCr, LF, readLength, STAR } from './bytes.ts';

/**
 * Finds where a request ends, without making objects of it. The rules are those of `processMultibulkBuffer` and
 * `processInlineBuffer` in Redis 7's networking.c, and so are the error texts, because clients and tests read them:
 *
 * - a request that starts with `*` is an array of bulk strings; any other is a line of words;
 * - an array of no elements, and an empty line, ask for nothing and get no reply;
 * - the two bytes after a header's number and after a bulk string are skipped, whatever they are;
 * - a line that does not end within 64 KiB is an error;
 * - an inline request is looked for as a C string is: behind a NUL byte the server sees no end of the line.
 */

export interface RequestLimits {
  /** Bytes of one bulk string: Redis's proto-max-bulk-len. */
  bulkBytes: number;
  /** Elements of one request. */
  elements: number;
  /** Bytes of a line: a header, or an inline request. */
  lineBytes: number;
}

export const redisRequestLimits: RequestLimits = {
  bulkBytes: 512 * 1024 * 1024,
  elements: 2 ** 31 - 1,
  lineBytes: 64 * 1024,
};

/** Redis's limits for a client that has not authenticated where it must. */
export const unauthenticatedLimits: RequestLimits = { bulkBytes: 16_384, elements: 10, lineBytes: 64 * 1024 };

/** What `frame` found out; one object per client, used again for every request. */
export interface RequestFrame {
  /** Number of elements; 0 for a request that asks for nothing; -1 for an inline request. */
  count: number;
  nameStart: number;
  nameEnd: number;
  /** The second element; start is -1 when there is none. */
  argStart: number;
  argEnd: number;
  /** The text after `-ERR ` when the request is malformed. */
  error: string;
  /** For an unfinished request: elements that are not whole yet (-1: not begun), and where the next one starts. */
  left: number;
  resumeAt: number;
  /** For an unfinished request: the length of the bulk string it stopped in, or 0. */
  pendingBulk: number;
}

export function createRequestFrame(): RequestFrame {
  return {
    count: 0,
    nameStart: 0,
    nameEnd: 0,
    argStart: -1,
    argEnd: -1,
    error: '',
    left: -1,
    resumeAt: 0,
    pendingBulk: 0,
  };
}

export const INCOMPLETE = -1;
export const MALFORMED = -2;

/**
 * The offset just after the request that starts at `pos`, INCOMPLETE, or MALFORMED. After INCOMPLETE, call again
 * with the same frame and start once more bytes are there: it goes on where it stopped. `frame.resumeAt` and the
 * name's offsets move with the bytes, so a caller that moves them calls `shiftFrame`.
 */
export function frameRequest(
  buf: Uint8Array,
  pos: number,
  end: number,
  frame: RequestFrame,
  limits: RequestLimits,
): number {
  if (frame.left < 0) {
    if (pos >= end) return INCOMPLETE;
    if (buf[pos] !== STAR) return frameInline(buf, pos, end, frame, limits);
    // Nearly every request has fewer than ten elements: one digit between the star and the CR.
    const digit = (buf[pos + 1] as number) - 48;
    if (pos + 4 <= end && digit > 0 && digit <= 9 && buf[pos + 2] === CR && limits.elements > 10) {
      frame.left = digit;
      frame.resumeAt = pos + 4;
    } else {
      const header = frameHeader(buf, pos, end, frame, limits);
      if (header !== 0) return header;
    }
    frame.count = frame.left;
    frame.argStart = -1;
  }
  return frameElements(buf, end, frame, limits);
}

/** Forgets an unfinished request. */
export function resetFrame(frame: RequestFrame): void {
  frame.left = -1;
  frame.pendingBulk = 0;
}

/** Tells an unfinished frame that its bytes now start `by` earlier (or later, when negative). */
export function shiftFrame(frame: RequestFrame, by: number): void {
  frame.resumeAt -= by;
  frame.nameStart -= by;
  frame.nameEnd -= by;
  if (frame.argStart >= 0) frame.argStart -= by;
  frame.argEnd -= by;
}

/** Reads `*N`. Returns 0 to go on with the elements, else what frameRequest is to return. */
function frameHeader(
  buf: Uint8Array,
  pos: number,
  end: number,
  frame: RequestFrame,
  limits: RequestLimits,
): number {
  const cr = findCr(buf, pos, end);
  if (cr < 0 || cr + 1 >= end) {
    return end - pos > limits.lineBytes
      ? malformed(frame, 'Protocol error: too big mbulk count string')
      : INCOMPLETE;
  }
  const count = readLength(buf, pos + 1, cr);
  if (count === undefined || count > redisRequestLimits.elements) {
    return malformed(frame, 'Protocol error: invalid multibulk length');
  }
  if (count > limits.elements) {
    const unauthenticated = limits.elements === unauthenticatedLimits.elements;
    return malformed(
      frame,
      unauthenticated
        ? 'Protocol error: unauthenticated multibulk length'
        : 'Protocol error: invalid multibulk length',
    );
  }
  if (count <= 0) {
    frame.count = 0;
    return cr + 2;
  }
  frame.left = count;
  frame.resumeAt = cr + 2;
  return 0;
}

function frameElements(buf: Uint8Array, end: number, frame: RequestFrame, limits: RequestLimits): number {
  let pos = frame.resumeAt;
  let left = frame.left;
  while (left > 0) {
    if (pos >= end) return unfinished(frame, pos, left, 0);
    if (buf[pos] !== DOLLAR) {
      return malformed(
        frame,
        `Protocol error: expected '$', got '${String.fromCharCode(buf[pos] as number)}'`,
      );
    }
    let at = pos + 1;
    let length = 0;
    let byte = buf[at] as number;
    // Digits without a leading zero need no further look; anything else takes the careful way.
    if (at < end && byte > 48 && byte <= 57) {
      do {
        length = length * 10 + byte - 48;
        byte = buf[++at] as number;
      } while (at < end && byte >= 48 && byte <= 57 && length < 1e9);
    }
    if (length === 0 || at + 1 >= end || byte !== CR) {
      const cr = findCr(buf, pos, end);
      if (cr < 0 || cr + 1 >= end) {
        return end - pos > limits.lineBytes
          ? malformed(frame, 'Protocol error: too big bulk count string')
          : unfinished(frame, pos, left, 0);
      }
      const read = readLength(buf, pos + 1, cr);
      if (read === undefined || read < 0) return malformed(frame, 'Protocol error: invalid bulk length');
      length = read;
      at = cr;
    }
    if (length > limits.bulkBytes) return tooLong(frame, limits);
    const start = at + 2;
    const stop = start + length + 2;
    if (left === frame.count) {
      frame.nameStart = start;
      frame.nameEnd = start + length;
    } else if (left === frame.count - 1) {
      frame.argStart = start;
      frame.argEnd = start + length;
    }
    if (stop > end) return unfinished(frame, pos, left, length);
    pos = stop;
    left--;
  }
  resetFrame(frame);
  return pos;
}

function frameInline(
  buf: Uint8Array,
  pos: number,
  end: number,
  frame: RequestFrame,
  limits: RequestLimits,
): number {
  const lf = buf.indexOf(LF, pos);
  if (lf < 0 || lf >= end || buf.subarray(pos, lf).includes(0)) {
    return end - pos > limits.lineBytes
      ? malformed(frame, 'Protocol error: too big inline request')
      : INCOMPLETE;
  }
  frame.count = -1;
  return lf + 1;
}

function unfinished(frame: RequestFrame, pos: number, left: number, bulk: number): number {
  frame.resumeAt = pos;
  frame.left = left;
  frame.pendingBulk = bulk;
  return INCOMPLETE;
}

function tooLong(frame: RequestFrame, limits: RequestLimits): number {
  const unauthenticated = limits.bulkBytes === unauthenticatedLimits.bulkBytes;
  return malformed(
    frame,
    unauthenticated ? 'Protocol error: unauthenticated bulk length' : 'Protocol error: invalid bulk length',
  );
}

function malformed(frame: RequestFrame, error: string): number {
  resetFrame(frame);
  frame.error = error;
  return MALFORMED;
}
