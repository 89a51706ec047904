import { bodyMode } from './body/mode.ts';
import type { StreamGroup, StreamIdempotence, StreamInfo, ValueVisitor } from './body/visitor.ts';
import { BodyWalker } from './body/walker.ts';
import { Cursor } from './cursor.ts';
import { rdbError } from './errors.ts';
import { Fault } from './fault.ts';
import type { Flavor, Kind } from './format.ts';

export interface ScoredMember {
  member: Buffer;
  score: number;
}

export interface HashField {
  field: Buffer;
  value: Buffer;
  /** Milliseconds since 1970; undefined when the field does not expire. */
  expireMs?: bigint;
}

export interface StreamEntry {
  id: string;
  fields: { field: Buffer; value: Buffer }[];
}

/** A value, decoded. Lists and streams are in order; sets, sorted sets and hashes in the order of the file. */
export type RdbValue =
  | { kind: 'string'; value: Buffer }
  | { kind: 'list'; items: Buffer[] }
  | { kind: 'set'; members: Buffer[] }
  | { kind: 'zset'; members: ScoredMember[] }
  | { kind: 'hash'; fields: HashField[] }
  | {
      kind: 'stream';
      entries: StreamEntry[];
      info: StreamInfo;
      groups: StreamGroup[];
      /** Only in files from Redis 8.6 on. */
      idempotence?: StreamIdempotence;
    }
  | { kind: 'module'; name: string; version: number };

/**
 * Walks a body that is whole in memory and tells the visitor what is in it. Returns false when it had no elements.
 * @throws RDB_CORRUPT with the offset within the body.
 */
export function visitBody(typeByte: number, flavor: Flavor, body: Buffer, visitor: ValueVisitor): boolean {
  const cursor = new Cursor();
  cursor.append(body);
  try {
    const walker = new BodyWalker(cursor);
    walker.begin(typeByte, flavor, bodyMode.decode, visitor);
    if (!walker.step()) throw new Fault('truncated', `the ${walker.kind} ends too early`, body.length);
    if (cursor.pos !== body.length) throw new Fault('corrupt', 'bytes follow the value', cursor.pos);
    return !walker.isEmpty;
  } catch (error) {
    throw error instanceof Fault ? rdbError(error) : error;
  }
}

/** The value that a body holds. @throws RDB_CORRUPT with the offset within the body. */
export function decodeBody(typeByte: number, flavor: Flavor, body: Buffer): RdbValue {
  const builder = new ValueBuilder();
  visitBody(typeByte, flavor, body, builder);
  return builder.build();
}

/** A visitor that makes an RdbValue of what it is told. */
class ValueBuilder implements ValueVisitor {
  private kind: Kind = 'string';
  private readonly texts: Buffer[] = [];
  private readonly scores: number[] = [];
  private readonly expiries: (bigint | undefined)[] = [];
  private readonly entries: { id: string; fields: number }[] = [];
  private readonly groups: StreamGroup[] = [];
  private info: StreamInfo | undefined;
  private idempotence: StreamIdempotence | undefined;
  private module = { name: '', version: 0 };

  begin(kind: Kind): void {
    this.kind = kind;
  }

  text(buf: Buffer, start: number, end: number): void {
    this.texts.push(Buffer.from(buf.subarray(start, end)));
  }

  score(value: number): void {
    this.scores.push(value);
  }

  fieldExpiry(atMs: bigint | undefined): void {
    this.expiries.push(atMs);
  }

  streamEntry(id: string, fields: number): void {
    this.entries.push({ id, fields });
  }

  streamInfo(info: StreamInfo): void {
    this.info = info;
  }

  streamGroup(group: StreamGroup): void {
    this.groups.push(group);
  }

  streamIdempotence(found: StreamIdempotence): void {
    this.idempotence = found;
  }

  moduleValue(name: string, version: number): void {
    this.module = { name, version };
  }

  end(): void {}

  build(): RdbValue {
    const { kind, texts } = this;
    switch (kind) {
      case 'string':
        return { kind, value: texts[0] ?? Buffer.alloc(0) };
      case 'list':
        return { kind, items: texts };
      case 'set':
        return { kind, members: texts };
      case 'zset':
        return { kind, members: texts.map((member, index) => ({ member, score: this.scores[index] ?? 0 })) };
      case 'hash':
        return { kind, fields: this.buildFields() };
      case 'stream':
        return {
          ...{ kind, entries: this.buildEntries(), info: this.info as StreamInfo, groups: this.groups },
          ...(this.idempotence === undefined ? {} : { idempotence: this.idempotence }),
        };
      default:
        return { kind: 'module', ...this.module };
    }
  }

  private buildFields(): HashField[] {
    const fields: HashField[] = [];
    for (let index = 0; index + 1 < this.texts.length; index += 2) {
      const field: HashField = { field: this.texts[index]!, value: this.texts[index + 1]! };
      const expireMs = this.expiries[index / 2];
      if (expireMs !== undefined) field.expireMs = expireMs;
      fields.push(field);
    }
    return fields;
  }

  private buildEntries(): StreamEntry[] {
    let at = 0;
    return this.entries.map(({ id, fields }) => {
      const entry: StreamEntry = { id, fields: [] };
      for (let index = 0; index < fields; index++, at += 2) {
        entry.fields.push({ field: this.texts[at]!, value: this.texts[at + 1]! });
      }
      return entry;
    });
  }
}
