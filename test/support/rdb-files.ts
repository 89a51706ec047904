import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ByteSink } from '../../src/rdb/byte-sink.ts';
import { type RdbEntry, readItems } from '../../src/rdb/entries.ts';
import type { Flavor } from '../../src/rdb/format.ts';
import { highHalf, lowHalf } from '../../src/rdb/int64.ts';
import type { RdbSource } from '../../src/rdb/merge-input.ts';
import type { Spill } from '../../src/rdb/spill.ts';
import { putLength, RdbWriter } from '../../src/rdb/writer.ts';

const fixtures = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'fixtures', 'rdb');

export interface Fixture {
  name: string;
  bytes: Buffer;
  /** What the answer key says, when there is one. */
  answer: unknown[] | undefined;
}

/** All files of test/fixtures/rdb, sorted by name. */
export function rdbFixtures(): Fixture[] {
  return ['engines', 'hdt3213-cases', 'redis-assets'].flatMap((folder) => {
    const all = readdirSync(path.join(fixtures, folder));
    return all
      .filter((file) => file.endsWith('.rdb'))
      .map((file) => {
        const answer = file.replace(/\.rdb$/, '.json');
        const read = (name: string) => readFileSync(path.join(fixtures, folder, name));
        return {
          name: file,
          bytes: read(file),
          answer: all.includes(answer) ? (JSON.parse(read(answer).toString()) as unknown[]) : undefined,
        };
      });
  });
}

/** A file that no reader takes. */
export function brokenFixture(name: string): Buffer {
  return readFileSync(path.join(fixtures, 'broken', name));
}

export function rdbFixture(name: string): Buffer {
  const found = rdbFixtures().find((fixture) => fixture.name === name);
  if (found === undefined) throw new Error(`no fixture ${name}`);
  return found.bytes;
}

/** The bytes in pieces of a size. */
export function* inPieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

/** A source that can be read as often as wanted. */
export function sourceOf(name: string, bytes: Buffer, pieceBytes = 64 * 1024): RdbSource {
  return {
    name,
    open: async function* () {
      yield* inPieces(bytes, pieceBytes);
    },
  };
}

export async function entriesOf(bytes: Buffer, pieceBytes = 4096): Promise<RdbEntry[]> {
  const entries: RdbEntry[] = [];
  for await (const item of readItems(inPieces(bytes, pieceBytes)))
    if (item.is === 'entry') entries.push(item);
  return entries;
}

/** A sink whose bytes can be had once it is flushed. */
export function memorySink(): { sink: ByteSink; bytes: () => Promise<Buffer> } {
  const pieces: Buffer[] = [];
  const sink = new ByteSink(async (bytes) => {
    pieces.push(Buffer.from(bytes));
  });
  return {
    sink,
    bytes: async () => {
      await sink.flush();
      return Buffer.concat(pieces);
    },
  };
}

export function memorySpill(): Spill & { appended: number } {
  const parts = new Map<number, Buffer[]>();
  const spill = {
    appended: 0,
    append: (part: number, bytes: Uint8Array) => {
      spill.appended += bytes.length;
      parts.set(part, [...(parts.get(part) ?? []), Buffer.from(bytes)]);
    },
    read: (part: number) => Buffer.concat(parts.get(part) ?? []),
    clear: () => parts.clear(),
  };
  return spill;
}

export interface MadeEntry {
  db?: number;
  key: string | Buffer;
  type?: number;
  /** The body; a string value when it is text. */
  value: string | Buffer;
  expireMs?: number | bigint;
  idle?: number;
  freq?: number;
}

/** An RDB of one's own making. */
export async function makeRdb(
  entries: MadeEntry[],
  options: { flavor?: Flavor; version?: number; functions?: string[] } = {},
): Promise<Buffer> {
  const { sink, bytes } = memorySink();
  const writer = new RdbWriter(sink, options.flavor ?? 'redis', options.version ?? 10);
  writer.begin([['redis-ver', '7.0.15']]);
  for (const code of options.functions ?? []) writer.functionLibrary(Buffer.from(code));
  for (const { db = 0, key, type = 0, value, expireMs = -1, idle = -1, freq = -1 } of entries) {
    const name = Buffer.from(key);
    const body = typeof value === 'string' ? lengthPrefixed(value) : value;
    writer.selectDb(db);
    const [expireHigh, expireLow] = [highHalf(BigInt(expireMs)), lowHalf(BigInt(expireMs))];
    writer.entryHead({ expireHigh, expireLow, idle, freq, type }, name, 0, name.length);
    writer.bytes(body, 0, body.length);
  }
  writer.finish();
  return bytes();
}

export function lengthBytes(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  return bytes.subarray(0, putLength(bytes, 0, value));
}

export function lengthPrefixed(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([lengthBytes(bytes.length), bytes]);
}
