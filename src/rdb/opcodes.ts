import { Fault } from './fault.ts';
import { opcode, typeInfo, unknownType } from './format.ts';
import { nearestNumber } from './int64.ts';
import { passKeyMetadata } from './key-metadata.ts';
import type { ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';

/** More marks than this before one key is not a file that a server wrote. */
const maxMarks = 16;
const maxSlotRanges = 16_384;
/** What a server takes from a client (proto-max-bulk-len), if nobody has changed that. */
const maxKeyBytes = 512 * 2 ** 20;
/** Of what stands outside the keys nothing is near this long; a few bytes can claim gigabytes. */
const maxNameBytes = 2 ** 16;
/** Before 7.0 a script of Lua was a field. */
const maxFieldBytes = 16 * 2 ** 20;
const maxLibraryBytes = 64 * 2 ** 20;
/** The RDB version that brought it. */
const metadataSince = 13;

/**
 * Reads what stands at the cursor: a key with the marks before it, a module's data, or something about the file,
 * of which the handler is told. Undefined when more bytes are needed: the caller then goes back and calls again.
 */
export function readOpcode(
  scanner: ScanState,
  handler: ScanHandler,
): 'key' | 'moduleAux' | 'other' | undefined {
  const { cursor } = scanner;
  for (let marks = 0; ; marks++) {
    if (cursor.pos >= cursor.end) return undefined;
    const lead = cursor.buf[cursor.pos]!;
    if (lead < opcode.slotImport) {
      // Before its key is read, which may have another form as well.
      if (typeInfo(lead, scanner.flavor) === undefined) {
        throw unknownType(lead, scanner.header, scanner.writtenBy, cursor.offset);
      }
      cursor.pos += 1;
      scanner.type = lead;
      return readKey(scanner) ? 'key' : undefined;
    }
    const isMark =
      (lead === opcode.keyMetadata && scanner.flavor === 'redis') ||
      lead === opcode.expireMs ||
      lead === opcode.expireSeconds ||
      lead === opcode.idle ||
      lead === opcode.freq;
    if (!isMark) {
      if (marks > 0) throw new Fault('corrupt', `opcode ${lead} where a key is due`, cursor.offset);
      cursor.pos += 1;
      if (lead === opcode.moduleAux) return 'moduleAux';
      return readOther(scanner, handler, lead) ? 'other' : undefined;
    }
    if (marks >= maxMarks) throw new Fault('corrupt', 'too many marks before one key', cursor.offset);
    cursor.pos += 1;
    if (!readMark(scanner, lead)) return undefined;
  }
}

function readKey(scanner: ScanState): boolean {
  const { cursor } = scanner;
  if (!cursor.takeString(maxKeyBytes)) return false;
  scanner.keyBuf = cursor.text;
  scanner.keyStart = cursor.textStart;
  scanner.keyEnd = cursor.textEnd;
  // A key that was compressed or an integer stands where the next string of its kind will be put.
  if (cursor.textOffset < 0) {
    scanner.keyBuf = cursor.keepText();
    scanner.keyStart = 0;
    scanner.keyEnd = scanner.keyBuf.length;
  }
  return true;
}

function readMark(scanner: ScanState, lead: number): boolean {
  const { cursor } = scanner;
  const { buf, pos } = cursor;
  switch (lead) {
    case opcode.expireMs:
      if (!cursor.has(8)) return false;
      scanner.expireHigh = buf.readInt32LE(pos + 4);
      scanner.expireLow = buf.readInt32LE(pos);
      scanner.expireMs = nearestNumber(scanner.expireHigh, scanner.expireLow);
      cursor.pos += 8;
      return true;
    case opcode.expireSeconds:
      if (!cursor.has(4)) return false;
      scanner.expireMs = buf.readInt32LE(pos) * 1000;
      scanner.expireHigh = Math.floor(scanner.expireMs / 4294967296);
      scanner.expireLow = scanner.expireMs | 0;
      cursor.pos += 4;
      return true;
    case opcode.keyMetadata:
      if (scanner.header.version < metadataSince) throw metadataTooEarly(scanner);
      scanner.hasMetadata = true;
      return passKeyMetadata(cursor);
    case opcode.freq:
      if (!cursor.has(1)) return false;
      scanner.freq = buf[pos]!;
      cursor.pos += 1;
      return true;
    default:
      if (!cursor.readCount()) return false;
      if (!Number.isSafeInteger(cursor.length)) {
        throw new Fault('corrupt', `no key is idle for ${cursor.length} seconds`, cursor.offset);
      }
      scanner.idle = cursor.length;
      return true;
  }
}

function readOther(scanner: ScanState, handler: ScanHandler, lead: number): boolean {
  const { cursor } = scanner;
  switch (lead) {
    case opcode.selectDb:
      if (!cursor.readCount()) return false;
      if (cursor.length > 0x7fffffff) {
        throw new Fault('corrupt', `no server has a database ${cursor.length}`, scanner.entryOffset);
      }
      scanner.db = cursor.length;
      handler.selectDb?.(scanner.db);
      return true;
    case opcode.resizeDb: {
      if (!cursor.readCount()) return false;
      const keys = cursor.length;
      if (!cursor.readCount()) return false;
      handler.resizeDb?.(keys, cursor.length);
      return true;
    }
    case opcode.aux:
      return readAux(scanner, handler);
    case opcode.function2:
      if (!cursor.takeString(maxLibraryBytes)) return false;
      handler.functionLibrary?.(cursor.text.subarray(cursor.textStart, cursor.textEnd));
      return true;
    case opcode.slotInfo:
      return cursor.readCount() && cursor.readCount() && cursor.readCount();
    case opcode.slotImport:
      return readSlotImport(scanner);
    default:
      throw new Fault('unsupported', 'a function in the form of Redis 7.0 pre-releases', scanner.entryOffset);
  }
}

function readAux(scanner: ScanState, handler: ScanHandler): boolean {
  const { cursor } = scanner;
  if (!cursor.takeString(maxNameBytes)) return false;
  const name = Buffer.from(cursor.text.subarray(cursor.textStart, cursor.textEnd));
  if (!cursor.takeString(maxFieldBytes)) return false;
  const value = cursor.text.subarray(cursor.textStart, cursor.textEnd);
  const writer = /^(redis|valkey)-ver$/.exec(name.toString('latin1'))?.[1];
  if (writer !== undefined) scanner.writtenBy = `${writer} ${shownVersion(value)}`;
  handler.aux?.(name, value);
  return true;
}

/** What the file says is shown in messages: only what a version may look like. */
function shownVersion(value: Buffer): string {
  return value
    .toString('latin1')
    .replace(/[^0-9A-Za-z.+-]/g, '')
    .slice(0, 32);
}

function metadataTooEarly({ header, cursor }: ScanState): Fault {
  return new Fault(
    'unsupported',
    `metadata of modules on a key, which RDB version ${metadataSince} (Redis 8.6) introduced, in a file of version ${header.version}`,
    cursor.offset - 1,
  );
}

/** Valkey 9: slots that are being moved here: a job's name, count, ranges. */
function readSlotImport(scanner: ScanState): boolean {
  const { cursor } = scanner;
  if (!cursor.takeString(maxNameBytes) || !cursor.readCount()) return false;
  const ranges = cursor.length;
  if (ranges > maxSlotRanges) {
    throw new Fault(
      'corrupt',
      `${ranges} ranges of slots are more than there are slots`,
      scanner.entryOffset,
    );
  }
  for (let index = 0; index < ranges; index++) {
    if (!cursor.readCount() || !cursor.readCount()) return false;
  }
  return true;
}
