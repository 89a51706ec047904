import { type } from '../format.ts';
import type { BodyState } from './body-state.ts';
import { bodyMode } from './mode.ts';

/** string: a string. list, set: count, strings. hash: count, then field and value, that many times. */
export function stepStrings(walker: BodyState): boolean {
  const { cursor } = walker;
  if (walker.phase === 0) {
    let count = 1;
    if (walker.type !== type.string) {
      if (!cursor.readCount()) return false;
      count = cursor.length;
      walker.isEmpty = count === 0;
    }
    walker.phase = 1;
    walker.left = walker.type === type.hash ? count * 2 : count;
    if (walker.mode === bodyMode.decode) walker.visitor.begin(walker.kind, count);
  }
  return walker.mode === bodyMode.decode ? takeStrings(walker) : skipStrings(walker);
}

function takeStrings(walker: BodyState): boolean {
  const { cursor, visitor } = walker;
  let left = walker.left;
  while (left > 0 && cursor.takeString()) {
    visitor.text(cursor.text, cursor.textStart, cursor.textEnd);
    left--;
  }
  walker.left = left;
  return left === 0;
}

/** The loop that most of a file is read in: short plain strings are passed over without a call. */
function skipStrings(walker: BodyState): boolean {
  const { cursor } = walker;
  const { buf, end } = cursor;
  let pos = cursor.pos;
  let left = walker.left;
  while (left > 0 && pos < end) {
    const lead = buf[pos]!;
    if (lead < 0x40 && !walker.midString) {
      pos += 1 + lead;
    } else {
      cursor.pos = pos;
      const done = cursor.skipString();
      pos = cursor.pos;
      walker.midString = !done;
      if (!done) break;
    }
    left--;
  }
  cursor.pos = pos;
  walker.left = left;
  return left === 0;
}
