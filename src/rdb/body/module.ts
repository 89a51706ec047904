import { Fault } from '../fault.ts';
import { moduleName } from '../format.ts';
import { modulePart as part } from '../module-part.ts';
import type { BodyState } from './body-state.ts';
import { bodyMode } from './mode.ts';

/**
 * What modules store: their id, then parts that each start with a code (0 ends, 1 and 2 integers as lengths, 3 a
 * float, 4 a double, 5 a string). Source: redis src/rdb.c (rdbLoadCheckModuleValue).
 */
export function stepModule(walker: BodyState): boolean {
  const { cursor } = walker;
  if (walker.phase === 0) {
    if (!cursor.readCount()) return false;
    const { name, version } = moduleName(cursor.lengthHigh, cursor.lengthLow);
    if (walker.mode === bodyMode.decode) {
      walker.visitor.begin('module', -1);
      walker.visitor.moduleValue(name, version);
    }
    walker.phase = partPhase.code;
  }
  return stepParts(walker);
}

/** The same outside the key space, with when to load it (an unsigned part) between the id and the rest. */
export function stepModuleAux(walker: BodyState): boolean {
  const { cursor } = walker;
  if (walker.phase === 0) {
    const start = cursor.pos;
    if (!cursor.readCount() || !cursor.readCount()) return rewind(walker, start);
    if (cursor.length !== part.unsigned) {
      throw new Fault(
        'corrupt',
        `module data has part ${cursor.length} where its time to load is due`,
        cursor.offset,
      );
    }
    if (!cursor.readCount()) return rewind(walker, start);
    walker.phase = partPhase.code;
  }
  return stepParts(walker);
}

/** Phase 1: a part's code is next; otherwise what the part itself is. */
const partPhase = { code: 1, integer: 2, string: 3, float: 4, double: 5 } as const;

function stepParts(walker: BodyState): boolean {
  const { cursor } = walker;
  for (;;) {
    if (walker.phase !== partPhase.code && !stepPart(walker)) return false;
    walker.phase = partPhase.code;
    if (!cursor.readCount()) return false;
    const code = cursor.length;
    if (code === part.end) return true;
    if (code === part.float) walker.phase = partPhase.float;
    else if (code === part.double) walker.phase = partPhase.double;
    else if (code === part.string) walker.phase = partPhase.string;
    else if (code === part.signed || code === part.unsigned) walker.phase = partPhase.integer;
    else throw new Fault('corrupt', `no part of a module value has code ${code}`, cursor.offset);
  }
}

/** Passes over a part, or tells it to a visitor who wants to know. */
function stepPart(walker: BodyState): boolean {
  const { cursor, phase } = walker;
  const visitor = walker.mode === bodyMode.decode ? walker.visitor : undefined;
  if (phase === partPhase.integer) {
    if (!cursor.readCount()) return false;
    visitor?.moduleInteger?.(cursor.lengthHigh, cursor.lengthLow);
    return true;
  }
  if (visitor?.moduleBytes === undefined) {
    if (phase === partPhase.string) return cursor.skipString();
    cursor.skip(phase === partPhase.float ? 4 : 8);
    return true;
  }
  if (phase === partPhase.string) {
    if (!cursor.takeString()) return false;
    visitor.moduleBytes(cursor.text, cursor.textStart, cursor.textEnd);
    return true;
  }
  const size = phase === partPhase.float ? 4 : 8;
  if (!cursor.has(size)) return false;
  visitor.moduleBytes(cursor.buf, cursor.pos, cursor.pos + size);
  cursor.pos += size;
  return true;
}

function rewind(walker: BodyState, start: number): false {
  walker.cursor.pos = start;
  return false;
}
