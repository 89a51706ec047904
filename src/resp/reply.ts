import { CR, DOLLAR, findCr, LF, readLength } from './bytes.ts';

/**
 * Finds where a reply ends, in RESP2 and RESP3, without making objects of it. One loop and one counter do for any
 * depth: an aggregate of n elements takes itself off what is missing and adds its n, and the reply ends when
 * nothing is missing. An attribute (`|`) adds its pairs and leaves the reply that follows it still to come. So does a push
 * within an aggregate, which the specification forbids: a server puts a message there when its receiver published it in
 * a transaction of its own.
 * Source: the RESP3 specification (redis/redis-specifications, protocol/RESP3.md).
 */

export const REPLY_INCOMPLETE = -1;
export const REPLY_MALFORMED = -2;

/** Progress in a reply that is not whole yet, so that a long one is not looked at again from its start. */
export interface ReplyProgress {
  /** Elements still missing; 0 when no reply is half read. */
  missing: number;
  /** How far it has been framed, from its start. */
  at: number;
}

/**
 * The offset just after the reply that starts at `pos`, REPLY_INCOMPLETE (then `progress` says how far it came), or
 * REPLY_MALFORMED. Call it again with the same progress when there are more bytes.
 */
export function frameReply(buf: Uint8Array, pos: number, end: number, progress: ReplyProgress): number {
  let at = pos;
  let missing = 1;
  if (progress.missing > 0) {
    at = pos + progress.at;
    missing = progress.missing;
    progress.missing = 0;
  }
  while (missing > 0) {
    if (at + 2 >= end) return halfway(progress, at - pos, missing);
    const type = buf[at] as number;
    if (type === DOLLAR && missing > 1) {
      // Most elements of most arrays are short bulk strings.
      const before = at;
      at = skipBulks(buf, at, end, missing);
      missing -= skipped;
      if (at !== before) continue;
    }
    // `$n`, `*n` and `:n` with up to three digits are most of what there is; anything else takes the careful way.
    let cr = at + 1;
    let value = 0;
    let byte = buf[cr] as number;
    while (byte >= 48 && byte <= 57 && cr - at < 10) {
      value = value * 10 + byte - 48;
      byte = buf[++cr] as number;
    }
    if (byte !== CR || cr === at + 1 || cr >= end) {
      cr = findCr(buf, at + 1, end);
      if (cr < 0) return halfway(progress, at - pos, missing);
      value = -2;
    }
    if (cr + 1 >= end) return halfway(progress, at - pos, missing);
    if (buf[cr + 1] !== LF) {
      // Only a simple string or error could hold a CR of its own, and Redis never sends one that does.
      return REPLY_MALFORMED;
    }
    const next = cr + 2;
    switch (type) {
      case 43: // + simple string
      case 45: // - error
      case 58: // : integer
      case 95: // _ null
      case 35: // # boolean
      case 44: // , double
      case 40: // ( big number
        at = next;
        missing--;
        continue;
      case 36: // $ bulk string
      case 33: // ! bulk error
      case 61: // = verbatim string
        if (value === -2) value = readLength(buf, at + 1, cr) ?? -2;
        if (value >= 0) {
          if (next + value + 2 > end) return halfway(progress, at - pos, missing);
          at = next + value + 2;
        } else if (value === -1) at = next;
        else return REPLY_MALFORMED;
        missing--;
        continue;
      case 42: // * array
      case 126: // ~ set
      case 62: // > push
        if (value === -2) value = readLength(buf, at + 1, cr) ?? -2;
        if (value < -1) return REPLY_MALFORMED;
        missing += Math.max(value, 0) - (type === 62 && at !== pos ? 0 : 1);
        at = next;
        continue;
      case 37: // % map
      case 124: // | attribute
        if (value === -2) value = readLength(buf, at + 1, cr) ?? -2;
        if (value < 0) return REPLY_MALFORMED;
        missing += value * 2 - (type === 37 ? 1 : 0);
        at = next;
        continue;
      default:
        return REPLY_MALFORMED;
    }
  }
  return at;
}

/** The offset just after the reply at `pos`, in memory that has all of it; negative when it has not. */
export function nextReply(buf: Uint8Array, pos: number, end: number): number {
  return frameReply(buf, pos, end, { missing: 0, at: 0 });
}

/** How many bulk strings the last call of skipBulks passed: a second result that is no object. */
let skipped = 0;

/** Passes up to `most` whole bulk strings whose lengths have one to four digits. Returns where it stopped. */
function skipBulks(buf: Uint8Array, start: number, end: number, most: number): number {
  let at = start;
  let left = most;
  // The longest header that is looked at here, `$9999` with its CR and LF, may be read without asking for the end.
  const last = end - 8;
  while (left > 0 && at < last && buf[at] === DOLLAR) {
    let cr = at + 2;
    let length = (buf[at + 1] as number) - 48;
    if (length < 0 || length > 9) break;
    let digit = (buf[cr] as number) - 48;
    while (digit >= 0 && digit <= 9 && cr < at + 5) {
      length = length * 10 + digit;
      digit = (buf[++cr] as number) - 48;
    }
    const next = cr + 2 + length + 2;
    if (buf[cr] !== CR || buf[cr + 1] !== LF || next > end) break;
    at = next;
    left--;
  }
  skipped = most - left;
  return at;
}

function halfway(progress: ReplyProgress, at: number, missing: number): number {
  progress.at = at;
  progress.missing = missing;
  return REPLY_INCOMPLETE;
}
