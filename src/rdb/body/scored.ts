import { Fault } from '../fault.ts';
import { type } from '../format.ts';
import type { BodyState } from './body-state.ts';
import { bodyMode } from './mode.ts';

/** zset: count, then member and score. The score is text (version 1) or a double, lowest byte first (version 2). */
export function stepScored(walker: BodyState): boolean {
  const { cursor } = walker;
  if (walker.phase === 0) {
    if (!cursor.readCount()) return false;
    walker.left = cursor.length;
    walker.isEmpty = walker.left === 0;
    walker.phase = 1;
    if (walker.mode === bodyMode.decode) walker.visitor.begin('zset', walker.left);
  }
  while (walker.left > 0) {
    if (walker.phase === 1) {
      if (!passMember(walker)) return false;
      walker.phase = 2;
    }
    if (!(walker.type === type.zset2 ? passDouble(walker) : passTextScore(walker))) return false;
    walker.phase = 1;
    walker.left--;
  }
  return true;
}

function passMember(walker: BodyState): boolean {
  const { cursor } = walker;
  if (walker.mode !== bodyMode.decode) return cursor.skipString();
  if (!cursor.takeString()) return false;
  walker.visitor.text(cursor.text, cursor.textStart, cursor.textEnd);
  return true;
}

function passDouble(walker: BodyState): boolean {
  const { cursor } = walker;
  if (walker.mode === bodyMode.skip) {
    cursor.skip(8);
    return true;
  }
  if (!cursor.has(8)) return false;
  if (walker.mode === bodyMode.check) {
    const { buf, pos } = cursor;
    const exponent = buf[pos + 7]! & 0x7f;
    // Only exponents of all ones can be NaN; reading the double costs more than this look.
    if (exponent === 0x7f && Number.isNaN(buf.readDoubleLE(pos))) throw notANumber(cursor.offset);
  } else {
    walker.visitor.score(cursor.buf.readDoubleLE(cursor.pos));
  }
  cursor.pos += 8;
  return true;
}

function passTextScore(walker: BodyState): boolean {
  const { cursor } = walker;
  if (!cursor.has(1)) return false;
  const length = cursor.buf[cursor.pos]!;
  let score: number;
  if (length >= 253) {
    score = length === 253 ? Number.NaN : length === 254 ? Infinity : -Infinity;
    cursor.pos += 1;
  } else {
    if (!cursor.has(1 + length)) return false;
    score = parseScore(cursor.buf, cursor.pos + 1, cursor.pos + 1 + length);
    cursor.pos += 1 + length;
  }
  if (walker.mode !== bodyMode.skip && Number.isNaN(score)) throw notANumber(cursor.offset);
  if (walker.mode === bodyMode.decode) walker.visitor.score(score);
  return true;
}

function notANumber(offset: number): Fault {
  return new Fault('corrupt', 'a score is not a number', offset);
}

/** A score as text; NaN when it is none. */
export function parseScore(buf: Buffer, start: number, end: number): number {
  const simple = parseSimple(buf, start, end);
  if (!Number.isNaN(simple)) return simple;
  const text = buf.toString('latin1', start, end).trim();
  if (text === '') return Number.NaN;
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  const word = /^([+-]?)inf(?:inity)?$/i.exec(text);
  return word ? (word[1] === '-' ? -Infinity : Infinity) : Number.NaN;
}

const tens = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

/**
 * Digits with at most one point, no more than fifteen of them: then the digits and the power of ten are both exact,
 * and so is their quotient, rounded once. NaN for anything else.
 */
function parseSimple(buf: Buffer, start: number, end: number): number {
  const isNegative = buf[start] === 0x2d;
  const first = isNegative ? start + 1 : start;
  if (end - first > 16 || end <= first) return Number.NaN;
  let digits = 0;
  let value = 0;
  let point = -1;
  for (let at = first; at < end; at++) {
    const digit = buf[at]! - 0x30;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
    } else if (digit === -2 && point < 0) {
      point = at;
    } else {
      return Number.NaN;
    }
  }
  if (digits === 0 || digits > 15) return Number.NaN;
  const magnitude = point < 0 ? value : value / tens[end - point - 1]!;
  return isNegative ? -magnitude : magnitude;
}
