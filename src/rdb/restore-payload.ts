import { Crc64 } from './crc64.ts';
import { Cursor } from './cursor.ts';
import { Fault } from './fault.ts';
import { opcode } from './format.ts';
import { passKeyMetadata } from './key-metadata.ts';

/** Version and checksum. */
const footerBytes = 10;

/** The value in what DUMP gave, which Redis 8.6 begins with what modules keep of the key. @throws Fault */
export function dumpedValue(payload: Buffer): { type: number; body: Buffer } {
  const cursor = new Cursor();
  cursor.append(payload.subarray(0, payload.length - footerBytes));
  if (payload[0] === opcode.keyMetadata) {
    cursor.pos = 1;
    if (!passKeyMetadata(cursor)) throw new Fault('truncated', 'a dump ends inside of metadata', cursor.pos);
  }
  return { type: payload[cursor.pos]!, body: payload.subarray(cursor.pos + 1, payload.length - footerBytes) };
}

/** What DUMP would give: the type, the value, the version of the form, and the sum of all that. */
export function restorePayload(typeByte: number, body: Buffer, version: number): Buffer {
  const payload = Buffer.allocUnsafe(1 + body.length + 10);
  payload[0] = typeByte;
  body.copy(payload, 1);
  payload.writeUInt16LE(version, 1 + body.length);
  const crc = new Crc64();
  crc.update(payload, 0, payload.length - 8);
  crc.writeTo(payload, payload.length - 8);
  return payload;
}
