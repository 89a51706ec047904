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
    walker.phase = 1;
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
    walker.phase = 1;
  }
  return stepParts(walker);
}

/** Phase 1: a part's code is next; 2: its integer; 3: its string. */
function stepParts(walker: BodyState): boolean {
  const { cursor } = walker;
  for (;;) {
    if (walker.phase === 2 ? !cursor.readCount() : walker.phase === 3 && !cursor.skipString()) return false;
    walker.phase = 1;
    if (!cursor.readCount()) return false;
    const code = cursor.length;
    if (code === part.end) return true;
    if (code === part.float) cursor.skip(4);
    else if (code === part.double) cursor.skip(8);
    else if (code === part.string) walker.phase = 3;
    else if (code === part.signed || code === part.unsigned) walker.phase = 2;
    else throw new Fault('corrupt', `no part of a module value has code ${code}`, cursor.offset);
  }
}

function rewind(walker: BodyState, start: number): false {
  walker.cursor.pos = start;
  return false;
}
