/**
 * What modules keep of a key beside its value, since Redis 8.6: how many classes, and of each four bytes (name, version,
 * flags) and parts as a module's value has them. It stands before the type, in files and in what DUMP gives. A server
 * ends when it loads that of a module that it lacks, unless a flag says otherwise.
 * Source: redis src/keymeta.c (rdbSaveKeyMetadata), src/cluster.c (createDumpPayload).
 */
import type { Cursor } from './cursor.ts';
import { Fault } from './fault.ts';
import { modulePart } from './module-part.ts';

/** KEY_META_MAX_NUM_MODULES in redis src/keymeta.h. */
const mostClasses = 7;
const classBytes = 4;
/** It is held whole, and modules keep numbers and short texts there. */
const mostBytes = 2 ** 20;

/** Passes over it, the opcode having been read. False when more bytes are needed: it must then be begun again. */
export function passKeyMetadata(cursor: Cursor): boolean {
  const start = cursor.pos;
  if (!cursor.readCount()) return false;
  const classes = cursor.length;
  if (classes > mostClasses) {
    throw new Fault('corrupt', `metadata of ${classes} modules on one key`, cursor.base + start);
  }
  for (let index = 0; index < classes; index++) {
    if (!cursor.has(classBytes)) return false;
    cursor.skip(classBytes);
    if (!passParts(cursor, start)) return false;
  }
  return true;
}

function passParts(cursor: Cursor, start: number): boolean {
  for (;;) {
    if (cursor.pos - start > mostBytes) {
      throw new Fault(
        'too-large',
        `metadata of modules on a key has more than ${mostBytes} bytes`,
        cursor.base + start,
      );
    }
    if (!cursor.readCount()) return false;
    const code = cursor.length;
    if (code === modulePart.end) return true;
    if (code === modulePart.string) {
      if (!cursor.takeString()) return false;
    } else if (code === modulePart.signed || code === modulePart.unsigned) {
      if (!cursor.readCount()) return false;
    } else if (code === modulePart.float || code === modulePart.double) {
      cursor.skip(code === modulePart.float ? 4 : 8);
    } else throw new Fault('corrupt', `no part of a module's metadata has code ${code}`, cursor.offset);
  }
}
