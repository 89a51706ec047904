import { Fault } from '../fault.ts';
import { type } from '../format.ts';
import { bigintOf, nearestNumber } from '../int64.ts';
import type { BodyState } from './body-state.ts';
import { bodyMode } from './mode.ts';

/**
 * Hashes whose fields may expire, not packed:
 *
 * - Redis 7.4 (24): the time of the first expiry (8 bytes), count, then per field: how long after it, plus one (a
 *   length; 0 is never), field, value.
 * - Redis 7.4 pre-releases (22): count, then per field: the time itself (a length; 0 is never), field, value.
 * - Valkey 9 (22): count, then field, value, and the time (8 bytes; -1 is never).
 *
 * Sources: redis src/rdb.c, valkey src/rdb.c. Times are milliseconds since 1970.
 */
/** Redis has room for 48 bits, Valkey for 63. */
const latestExpiryMs = 2 ** 48;
const noHalf = -1;

export function stepFieldExpiry(walker: BodyState): boolean {
  const { cursor } = walker;
  if (walker.phase === 0) {
    if (!readHead(walker)) return false;
    walker.phase = 1;
  }
  const timeIsLast = walker.flavor === 'valkey';
  while (walker.left > 0) {
    if (walker.phase === 1) {
      if (!timeIsLast && !readRelativeTime(walker)) return false;
      walker.phase = 2;
    }
    while (walker.phase < 4) {
      if (!passText(walker)) return false;
      walker.phase++;
    }
    if (timeIsLast) {
      if (!cursor.has(8)) return false;
      readAbsoluteTime(walker);
    } else if (walker.mode === bodyMode.decode) {
      walker.visitor.fieldExpiry(walker.expiry < 0 ? undefined : BigInt(walker.expiry));
    }
    walker.phase = 1;
    walker.left--;
  }
  return true;
}

function readHead(walker: BodyState): boolean {
  const { cursor } = walker;
  const start = cursor.pos;
  walker.expiryBase = 0;
  if (walker.type === type.hashMetadata) {
    if (!cursor.has(8)) return false;
    walker.expiryBase = Number(cursor.buf.readBigInt64LE(cursor.pos)) - 1;
    if (walker.expiryBase < -1 || walker.expiryBase > latestExpiryMs)
      throw badTime(walker, walker.expiryBase + 1);
    cursor.pos += 8;
  }
  if (!cursor.readCount()) {
    cursor.pos = start;
    return false;
  }
  walker.left = cursor.length;
  walker.isEmpty = walker.left === 0;
  if (walker.mode === bodyMode.decode) walker.visitor.begin('hash', walker.left);
  return true;
}

function readAbsoluteTime(walker: BodyState): void {
  const { cursor, mode, visitor } = walker;
  const high = cursor.buf.readInt32LE(cursor.pos + 4);
  const low = cursor.buf.readInt32LE(cursor.pos);
  const isNever = high === noHalf && low === noHalf;
  if (high < 0 && !isNever) throw badTime(walker, nearestNumber(high, low));
  cursor.pos += 8;
  if (mode === bodyMode.decode) visitor.fieldExpiry(isNever ? undefined : bigintOf(high, low));
}

function readRelativeTime(walker: BodyState): boolean {
  const { cursor } = walker;
  if (!cursor.readCount()) return false;
  walker.expiry = cursor.length === 0 ? -1 : cursor.length + walker.expiryBase;
  if (walker.expiry >= latestExpiryMs) throw badTime(walker, walker.expiry);
  return true;
}

function passText(walker: BodyState): boolean {
  const { cursor } = walker;
  if (walker.mode !== bodyMode.decode) return cursor.skipString();
  if (!cursor.takeString()) return false;
  walker.visitor.text(cursor.text, cursor.textStart, cursor.textEnd);
  return true;
}

function badTime(walker: BodyState, time: number): Fault {
  return new Fault('corrupt', `a field cannot expire at ${time}`, walker.cursor.offset);
}
