import type { Cursor } from '../cursor.ts';
import { Fault } from '../fault.ts';
import { type } from '../format.ts';
import { bigintOf, nearestNumber } from '../int64.ts';
import { IntsetReader } from '../packed/intset.ts';
import { ListpackReader } from '../packed/listpack.ts';
import type { PackedReader } from '../packed/packed-reader.ts';
import { ZiplistReader } from '../packed/ziplist.ts';
import { ZipmapReader } from '../packed/zipmap.ts';
import type { BodyState } from './body-state.ts';
import { bodyMode } from './mode.ts';
import { parseScore } from './scored.ts';

/** Values that are one packed blob, stored as a string; and lists, which are several. */

const listpack = new ListpackReader();
const ziplist = new ZiplistReader();
const zipmap = new ZipmapReader();
const intset = new IntsetReader();

export function stepPacked(walker: BodyState): boolean {
  const { cursor } = walker;
  if (walker.phase === 0) {
    if (walker.type === type.hashListpackEx) {
      // The time of the first field to expire: a hint that says nothing new.
      if (!cursor.has(8)) return false;
      cursor.pos += 8;
    }
    walker.phase = 1;
  }
  if (walker.mode === bodyMode.skip) return cursor.skipString();
  if (!cursor.takeString()) return false;
  const reader = readerOf(walker.type);
  try {
    reader.open(cursor.text, cursor.textStart, cursor.textEnd);
    if (walker.mode === bodyMode.check) checkTuples(walker, reader);
    else tellTuples(walker, reader);
  } catch (error) {
    throw placeBlobFault(error, cursor);
  }
  return true;
}

/** quicklist: count, then ziplists. Version 2: each node is a plain string (1) or a listpack (2). */
export function stepQuicklist(walker: BodyState): boolean {
  const { cursor } = walker;
  if (walker.phase === 0) {
    if (!cursor.readCount()) return false;
    walker.left = cursor.length;
    walker.isEmpty = walker.left === 0;
    walker.phase = walker.type === type.listQuicklist2 ? 1 : 3;
    // A list of one packed node tells how long it is; of several, only all of them do.
    if (walker.mode === bodyMode.decode && walker.left !== 1) walker.visitor.begin('list', -1);
    walker.isSingleNode = walker.left === 1;
  }
  while (walker.left > 0) {
    if (walker.phase === 1) {
      if (!cursor.readCount()) return false;
      if (cursor.length !== 1 && cursor.length !== 2) {
        throw new Fault('corrupt', `no list node is of kind ${cursor.length}`, cursor.offset);
      }
      walker.phase = 1 + cursor.length;
    }
    if (!(walker.mode === bodyMode.skip ? cursor.skipString() : passNode(walker))) return false;
    if (walker.type === type.listQuicklist2) walker.phase = 1;
    walker.left--;
  }
  if (walker.mode !== bodyMode.skip) walker.isEmpty = walker.seen === 0;
  return true;
}

function passNode(walker: BodyState): boolean {
  const { cursor, phase } = walker;
  const isPlain = phase === 2 && walker.type === type.listQuicklist2;
  if (isPlain && walker.mode === bodyMode.check) {
    walker.seen++;
    if (cursor.skipString()) return true;
    walker.seen--;
    return false;
  }
  if (!cursor.takeString()) return false;
  if (isPlain) {
    if (walker.isSingleNode) walker.visitor.begin('list', 1);
    walker.seen++;
    walker.visitor.text(cursor.text, cursor.textStart, cursor.textEnd);
    return true;
  }
  const reader = walker.type === type.listQuicklist2 ? listpack : ziplist;
  try {
    reader.open(cursor.text, cursor.textStart, cursor.textEnd);
    if (walker.mode === bodyMode.check) {
      while (reader.next()) walker.seen++;
    } else {
      if (walker.isSingleNode) walker.visitor.begin('list', reader.announced());
      tellTexts(walker, reader);
    }
  } catch (error) {
    throw placeBlobFault(error, cursor);
  }
  return true;
}

/** A fault inside the string just taken, with the place in the file instead of that in the string. */
export function placeBlobFault(error: unknown, cursor: Cursor): unknown {
  if (!(error instanceof Fault)) return error;
  if (cursor.textOffset >= 0) return new Fault(error.kind, error.message, cursor.textOffset + error.offset);
  return new Fault(error.kind, `${error.message} (byte ${error.offset} once decompressed)`, cursor.offset);
}

function readerOf(typeByte: number): PackedReader {
  if (typeByte === type.hashZipmap) return zipmap;
  if (typeByte === type.setIntset) return intset;
  const isZiplist = typeByte >= type.listZiplist && typeByte <= type.hashZiplist;
  return isZiplist ? ziplist : listpack;
}

/** Elements that make one field or member. */
function tupleSize(walker: BodyState): number {
  if (walker.type === type.hashListpackEx || walker.type === type.hashListpackExPreGa) return 3;
  return walker.kind === 'hash' || walker.kind === 'zset' ? 2 : 1;
}

function checkTuples(walker: BodyState, reader: PackedReader): void {
  let seen = 0;
  const size = tupleSize(walker);
  const isScored = walker.kind === 'zset';
  while (reader.next()) {
    seen++;
    // The last of each is a number where it is a score or an expiry.
    if (seen % size !== 0) continue;
    if (isScored && !isPlainNumber(reader)) scoreOf(reader);
    if (size === 3) refuseNoExpiry(reader);
  }
  if (seen % size !== 0) throw new Fault('corrupt', `${seen} elements do not make a ${walker.kind}`, 0);
  walker.isEmpty = seen === 0;
}

function tellTuples(walker: BodyState, reader: PackedReader): void {
  const { visitor, kind } = walker;
  const size = tupleSize(walker);
  const announced = reader.announced();
  if (announced > 0 && announced % size !== 0) {
    throw new Fault('corrupt', `${announced} elements do not make a ${kind}`, 0);
  }
  visitor.begin(kind, announced < 0 ? -1 : announced / size);
  if (kind === 'zset') tellScored(walker, reader);
  else if (size === 3) tellExpiring(walker, reader);
  else tellTexts(walker, reader);
  walker.isEmpty = walker.seen === 0;
  if (walker.seen % size !== 0)
    throw new Fault('corrupt', `${walker.seen} elements do not make a ${kind}`, 0);
}

function tellTexts(walker: BodyState, reader: PackedReader): void {
  const { visitor } = walker;
  if (visitor.allTexts !== undefined) {
    walker.seen += visitor.allTexts(reader);
    return;
  }
  while (reader.next()) {
    if (reader.isInteger) reader.resolve();
    visitor.text(reader.buf, reader.start, reader.end);
    walker.seen++;
  }
}

function tellScored(walker: BodyState, reader: PackedReader): void {
  const { visitor } = walker;
  while (reader.next()) {
    walker.seen++;
    if (walker.seen % 2 === 1) {
      reader.resolve();
      visitor.text(reader.buf, reader.start, reader.end);
      continue;
    }
    if (visitor.scoreText !== undefined && isPlainNumber(reader)) {
      reader.resolve();
      visitor.scoreText(reader.buf, reader.start, reader.end);
      continue;
    }
    visitor.score(scoreOf(reader));
  }
}

function scoreOf(reader: PackedReader): number {
  const score = reader.isInteger
    ? nearestNumber(reader.high, reader.low)
    : parseScore(reader.buf, reader.start, reader.end);
  if (Number.isNaN(score)) throw new Fault('corrupt', 'a score is not a number', 0);
  return score;
}

function refuseNoExpiry(reader: PackedReader): void {
  if (!reader.isInteger) throw new Fault('corrupt', 'the expiry of a field is not a number', 0);
}

/** Digits with at most one point among them, and a sign: what every reader of numbers takes as it stands. */
function isPlainNumber(reader: PackedReader): boolean {
  if (reader.isInteger) return true;
  const { buf, start, end } = reader;
  const first = buf[start] === 0x2d ? start + 1 : start;
  if (end - first > 40 || end <= first || buf[first] === 0x2e || buf[end - 1] === 0x2e) return false;
  let points = 0;
  for (let at = first; at < end; at++) {
    const byte = buf[at]!;
    if (byte === 0x2e) points++;
    else if (byte < 0x30 || byte > 0x39) return false;
  }
  return points <= 1;
}

function tellExpiring(walker: BodyState, reader: PackedReader): void {
  const { visitor } = walker;
  while (reader.next()) {
    walker.seen++;
    if (walker.seen % 3 === 0) {
      refuseNoExpiry(reader);
      const isNever = reader.high === 0 && reader.low === 0;
      visitor.fieldExpiry(isNever ? undefined : bigintOf(reader.high, reader.low));
      continue;
    }
    reader.resolve();
    visitor.text(reader.buf, reader.start, reader.end);
  }
}
