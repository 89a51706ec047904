import type { FaultKind } from './fault.ts';
import { Fault } from './fault.ts';

/**
 * The outside of an RDB: `REDIS0011` or `VALKEY080`, then opcodes and keys, then 0xff and a CRC-64. Numbers from
 * redis src/rdb.h (up to version 13) and valkey src/rdb.h (version 80, Valkey 9). docs/rdb.md explains them.
 */

/** Who wrote it. Valkey 8 still writes `REDIS0011`; type 22 and opcode 243 mean other things to each. */
export type Flavor = 'redis' | 'valkey';
export const kinds = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'] as const;
export type Kind = (typeof kinds)[number];

/** The newest version of each that can be read. */
export const newestRedisVersion = 13;
export const newestValkeyVersion = 80;

export const opcode = {
  slotImport: 243,
  /** The same byte in files of Redis. */
  keyMetadata: 243,
  slotInfo: 244,
  function2: 245,
  functionPreGa: 246,
  moduleAux: 247,
  idle: 248,
  freq: 249,
  aux: 250,
  resizeDb: 251,
  expireMs: 252,
  expireSeconds: 253,
  selectDb: 254,
  end: 255,
} as const;

export const type = {
  string: 0,
  list: 1,
  set: 2,
  zset: 3,
  hash: 4,
  zset2: 5,
  modulePreGa: 6,
  module2: 7,
  hashZipmap: 9,
  listZiplist: 10,
  setIntset: 11,
  zsetZiplist: 12,
  hashZiplist: 13,
  listQuicklist: 14,
  streamListpacks: 15,
  hashListpack: 16,
  zsetListpack: 17,
  listQuicklist2: 18,
  streamListpacks2: 19,
  setListpack: 20,
  streamListpacks3: 21,
  /** Redis 7.4 pre-releases: hash with field expiry, absolute. Valkey 9: hash with field expiry, its own form. */
  hashMetadataPreGa: 22,
  hashListpackExPreGa: 23,
  hashMetadata: 24,
  hashListpackEx: 25,
  streamListpacks4: 26,
} as const;

interface TypeInfo {
  kind: Kind;
  encoding: string;
  /** The first RDB version whose readers know it. */
  since: number;
}

const types: (TypeInfo | undefined)[] = [
  { kind: 'string', encoding: 'raw', since: 1 },
  { kind: 'list', encoding: 'linkedlist', since: 1 },
  { kind: 'set', encoding: 'hashtable', since: 1 },
  { kind: 'zset', encoding: 'skiplist', since: 1 },
  { kind: 'hash', encoding: 'hashtable', since: 1 },
  { kind: 'zset', encoding: 'skiplist', since: 8 },
  undefined,
  { kind: 'module', encoding: 'module', since: 8 },
  undefined,
  { kind: 'hash', encoding: 'zipmap', since: 2 },
  { kind: 'list', encoding: 'ziplist', since: 2 },
  { kind: 'set', encoding: 'intset', since: 2 },
  { kind: 'zset', encoding: 'ziplist', since: 2 },
  { kind: 'hash', encoding: 'ziplist', since: 4 },
  { kind: 'list', encoding: 'quicklist', since: 7 },
  { kind: 'stream', encoding: 'stream', since: 9 },
  { kind: 'hash', encoding: 'listpack', since: 10 },
  { kind: 'zset', encoding: 'listpack', since: 10 },
  { kind: 'list', encoding: 'quicklist', since: 10 },
  { kind: 'stream', encoding: 'stream', since: 10 },
  { kind: 'set', encoding: 'listpack', since: 11 },
  { kind: 'stream', encoding: 'stream', since: 11 },
  { kind: 'hash', encoding: 'hashtable', since: 12 },
  { kind: 'hash', encoding: 'listpack', since: 12 },
  { kind: 'hash', encoding: 'hashtable', since: 12 },
  { kind: 'hash', encoding: 'listpack', since: 12 },
  { kind: 'stream', encoding: 'stream', since: 13 },
];

/** Releases that are known to write more than can be read here, by their RDB version. */
const newerReleases: Record<number, string> = { 14: 'Redis 8.8' };

/** What a type byte stands for, or undefined when nothing that can be read starts with it. */
export function typeInfo(typeByte: number, flavor: Flavor): TypeInfo | undefined {
  if (flavor === 'valkey' && typeByte > type.hashMetadataPreGa) return undefined;
  return types[typeByte];
}

/**
 * The fault for a byte that no value starts with, as far as this reader knows. What is beyond the types it knows is
 * taken for newer than it, and not for damage: both look the same, and only one of them would be a false alarm.
 * @param writtenBy what the file says of its writer, or ''.
 */
export function unknownType(
  typeByte: number,
  { flavor, version }: FileHeader,
  writtenBy: string,
  offset: number,
): Fault {
  if (typeByte === type.modulePreGa) {
    return new Fault('unsupported', 'a module value in the form of Redis 4.0 pre-releases', offset);
  }
  const isBeyond = typeByte >= (flavor === 'valkey' ? type.hashMetadataPreGa + 1 : types.length);
  if (!isBeyond) return new Fault('corrupt', `no value or opcode starts with byte ${typeByte}`, offset);
  const from = writtenBy === '' ? '' : `, written by ${writtenBy}`;
  const file = version > 0 ? `: the file is of RDB version ${version}${from}. Or the byte is damaged` : '';
  return new Fault(
    'unsupported',
    `a value of type ${typeByte}, newer than what is known here (RDB version ${newestOf(flavor)})${file}`,
    offset,
  );
}

/** Whether a file is of a version that was made after this reader: also types that it knows may mean other things there. */
export function isNewer({ flavor, version }: FileHeader): boolean {
  return version > newestOf(flavor);
}

/** @param writtenBy what the file says of its writer, or ''. */
export function newerVersion({ flavor, version }: FileHeader, writtenBy: string): Fault {
  const release = flavor === 'redis' ? newerReleases[version] : undefined;
  const introduced = release === undefined ? '' : `, which ${release} introduced`;
  const from = writtenBy === '' ? '' : `; it was written by ${writtenBy}`;
  const file = `the file is of RDB version ${version}${introduced}`;
  return magicFault('unsupported', `${file}, newer than what can be read here (${newestOf(flavor)})${from}`);
}

function newestOf(flavor: Flavor): number {
  return flavor === 'valkey' ? newestValkeyVersion : newestRedisVersion;
}

export interface FileHeader {
  flavor: Flavor;
  version: number;
}

/** How many bytes the magic takes, for both flavors. */
export const magicBytes = 9;

/** Reads the nine bytes that every RDB starts with. Throws a Fault when they are something else. */
export function parseMagic(bytes: Uint8Array): FileHeader {
  const text = Buffer.from(bytes.subarray(0, magicBytes)).toString('latin1');
  const match = /^(?:REDIS(\d{4})|VALKEY(\d{3}))$/.exec(text);
  if (!match) throw notRdb(text);
  const flavor: Flavor = match[2] === undefined ? 'redis' : 'valkey';
  const version = Number(match[1] ?? match[2]);
  const known = flavor === 'redis' ? version >= 1 && version < 80 : version >= 12;
  if (!known) throw magicFault('unsupported', `RDB version ${version} of ${flavor} does not exist`);
  return { flavor, version };
}

function notRdb(text: string): Fault {
  const guesses: [RegExp, string][] = [
    [/^\*\d+\r\n/, 'It looks like an append-only file of commands.'],
    [/^file /, 'It looks like the manifest of an append-only file.'],
    [/^\$(?:\d+\r\n|EOF:)/, 'It looks like the start of a replication stream, with its length line.'],
  ];
  const guess = guesses.find(([pattern]) => pattern.test(text))?.[1];
  const shown = JSON.stringify(text.replace(/[^\x20-\x7e]/g, '.'));
  return magicFault(
    'corrupt',
    `not an RDB: it starts with ${shown}${guess === undefined ? '' : `. ${guess}`}`,
  );
}

function magicFault(kind: FaultKind, reason: string): Fault {
  return new Fault(kind, reason, 0);
}

/** A module's name from the 64-bit id that stands for it: nine characters of six bits, then ten of version. */
export function moduleName(high: number, low: number): { name: string; version: number } {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const id = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  let name = '';
  for (let shift = 58n; shift >= 10n; shift -= 6n) name += characters[Number((id >> shift) & 63n)];
  return { name, version: low & 1023 };
}
