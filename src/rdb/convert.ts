import { type Ability, since } from './abilities.ts';
import type { Conversion } from './conversion.ts';
import { downgradeStream } from './convert-stream.ts';
import type { Kind } from './format.ts';
import { type Flavor, type, typeInfo } from './format.ts';
import type { Target } from './target.ts';
import { decodeBody, type HashField, type RdbValue, type ScoredMember } from './value.ts';
import { putLength } from './writer.ts';

/** 48 bits: EB_EXPIRE_TIME_MAX in redis src/ebuckets.h. */
const latestRedisExpiryMs = 2n ** 48n - 1n;

/**
 * Rewrites a value that the target does not know in a form that it does: packed encodings as plain ones, which every
 * version reads; field expiry in the target's own form; streams without what older servers do not keep. What cannot
 * be kept whole is refused with a reason, never thinned out.
 */
export function convertBody(typeByte: number, flavor: Flavor, body: Buffer, target: Target): Conversion {
  if (typeByte === type.module2) return { reason: cameWith('values of modules', 'moduleValues') };
  if (typeInfo(typeByte, flavor)?.kind === 'stream') {
    if (target.version < 9) return { reason: cameWith('streams', 'streams') };
    return downgradeStream(typeByte, body, streamTypeOf(target));
  }
  return encodePlain(decodeBody(typeByte, flavor, body), target);
}

/** `streams came with Redis 5.0` */
export function cameWith(what: string, ability: Ability): string {
  return `${what} came with ${since[ability].text}`;
}

function streamTypeOf({ flavor, version }: Target): number {
  if (flavor === 'redis' && version >= 13) return type.streamListpacks4;
  if (version >= 11) return type.streamListpacks3;
  return version >= 10 ? type.streamListpacks2 : type.streamListpacks;
}

function encodePlain(value: RdbValue, target: Target): Conversion {
  switch (value.kind) {
    case 'list':
      return { type: type.list, body: encodeTexts(value.items.length, value.items) };
    case 'set':
      return { type: type.set, body: encodeTexts(value.members.length, value.members) };
    case 'zset':
      return target.version >= 8
        ? { type: type.zset2, body: encodeScored(value.members, encodeDouble) }
        : { type: type.zset, body: encodeScored(value.members, encodeTextScore) };
    case 'hash':
      return encodeHash(value.fields, target);
    default:
      return { reason: unknownReason(value.kind) };
  }
}

function unknownReason(kind: Kind): string {
  return `no older form of a ${kind} is known`;
}

function encodeHash(fields: HashField[], target: Target): Conversion {
  const times = fields.map(({ expireMs }) => expireMs).filter((time) => time !== undefined);
  if (times.length === 0) {
    const texts = fields.flatMap(({ field, value }) => [field, value]);
    return { type: type.hash, body: encodeTexts(fields.length, texts) };
  }
  if (target.flavor === 'valkey') return { type: type.hashMetadataPreGa, body: encodeValkeyExpiry(fields) };
  if (target.version < 12) {
    return { reason: cameWith(`${times.length} of its fields expire, and that`, 'fieldExpiry') };
  }
  const late = times.find((time) => time > latestRedisExpiryMs);
  if (late !== undefined) {
    return { reason: `a field expires at ${late}, and Redis holds times up to ${latestRedisExpiryMs}` };
  }
  const first = times.reduce((least, time) => (time < least ? time : least));
  const pieces = [int64(first), lengthBytes(fields.length)];
  for (const { field, value, expireMs } of fields) {
    pieces.push(lengthBytes(expireMs === undefined ? 0 : Number(expireMs - first) + 1));
    pieces.push(lengthBytes(field.length), field, lengthBytes(value.length), value);
  }
  return { type: type.hashMetadata, body: Buffer.concat(pieces) };
}

function encodeValkeyExpiry(fields: HashField[]): Buffer {
  const pieces = [lengthBytes(fields.length)];
  for (const { field, value, expireMs } of fields) {
    pieces.push(lengthBytes(field.length), field, lengthBytes(value.length), value);
    pieces.push(int64(expireMs ?? -1n));
  }
  return Buffer.concat(pieces);
}

function encodeTexts(count: number, texts: Buffer[]): Buffer {
  const pieces = [lengthBytes(count)];
  for (const text of texts) pieces.push(lengthBytes(text.length), text);
  return Buffer.concat(pieces);
}

function encodeScored(members: ScoredMember[], encode: (score: number) => Buffer): Buffer {
  const pieces = [lengthBytes(members.length)];
  for (const { member, score } of members) pieces.push(lengthBytes(member.length), member, encode(score));
  return Buffer.concat(pieces);
}

function encodeDouble(score: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(score);
  return bytes;
}

function encodeTextScore(score: number): Buffer {
  if (score === Infinity) return Buffer.from([254]);
  if (score === -Infinity) return Buffer.from([255]);
  const text = Object.is(score, -0) ? '-0' : String(score);
  return Buffer.from(`${String.fromCharCode(text.length)}${text}`, 'latin1');
}

function lengthBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(9);
  return bytes.subarray(0, putLength(bytes, 0, value));
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}
