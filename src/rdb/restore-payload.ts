import { Crc64 } from './crc64.ts';

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
