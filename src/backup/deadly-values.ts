/**
 * Finds what ends the server that loads it, though each byte of it is in order: a value with the same element twice (set,
 * sorted set, hash); a stream with the same node, group, consumer or pending entry twice, or with a pending entry that only a
 * consumer, or only its group, has; a function library that no server takes. Servers write no such thing. (Of an entry that no
 * consumer has, a server ends when somebody asks what is pending.)
 * Source: redis src/rdb.c, rdbLoadObject and rdbFunctionLoad.
 */
import { bodyMode } from '../rdb/body/mode.ts';
import type { StreamGroup, ValueVisitor } from '../rdb/body/visitor.ts';
import type { Unloadable } from '../rdb/copy.ts';
import { type Kind, typeInfo } from '../rdb/format.ts';
import { libraryName } from '../rdb/function-library.ts';
import { KeyHash } from '../rdb/key-hash.ts';
import { KeyTable } from '../rdb/key-table.ts';
import { pump } from '../rdb/pump.ts';
import type { BodyWish } from '../rdb/scan-handler.ts';
import { Scanner } from '../rdb/scanner.ts';

const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };

/** Why a server does not take a function library; undefined when it does. To be asked of all of a file, in its order. */
export type AskLibrary = (code: Buffer) => Promise<string | undefined>;

/** Which keys and libraries of a file end a server, counted from 0 in the order of the file. */
export interface DeadlyParts {
  keys: ReadonlySet<number>;
  libraries: ReadonlySet<number>;
}

/**
 * Reads an RDB that a server is to load, whose bytes were checked before.
 * @param onFound hears of each.
 */
export async function findDeadlyParts(
  source: AsyncIterable<Buffer>,
  askLibrary: AskLibrary,
  onFound: (unloadable: Unloadable) => void,
): Promise<DeadlyParts> {
  const values = new DeadlyValues();
  const lookInto: BodyWish = { mode: bodyMode.decode, raw: undefined, visitor: values };
  const keys = new Set<number>();
  const libraries = new Set<number>();
  const waiting: Buffer[] = [];
  let [keyCount, libraryCount] = [0, 0];
  const scanner = new Scanner({
    functionLibrary: (code) => waiting.push(Buffer.from(code)),
    key: ({ type, flavor }) => {
      keyCount++;
      values.why = undefined;
      return kindsThatMayEndIt.has(typeInfo(type, flavor)?.kind ?? '') ? lookInto : passOver;
    },
    end: (at) => {
      if (values.why === undefined) return;
      keys.add(keyCount - 1);
      const reason = `${values.why}, and a server ends when it meets that`;
      values.why = undefined;
      onFound({ what: 'key', db: at.db, key: at.copyKey(), reason });
    },
  });
  const askAll = async () => {
    for (const code of waiting.splice(0)) {
      const why = await askLibrary(code);
      if (why !== undefined) {
        libraries.add(libraryCount);
        onFound({ what: 'function', reason: `library ${libraryName(code)}: no server takes it: ${why}` });
      }
      libraryCount++;
    }
  };
  await pump(source, scanner, { after: () => (waiting.length > 0 ? askAll() : undefined) });
  return { keys, libraries };
}

const kindsThatMayEndIt: ReadonlySet<string> = new Set<Kind>(['set', 'zset', 'hash', 'stream']);

/** Looks at one value after the other. Remembers 73 bits of each element of one value at a time. */
export class DeadlyValues implements ValueVisitor {
  /** Of the value that was looked at last: why a server would end; undefined when it would not. */
  why: string | undefined;
  #kind: Kind = 'string';
  #isValueNext = false;
  #seen = new KeyTable();
  #groups = new Set<string>();
  #nodes = new Set<string>();
  readonly #hash = new KeyHash();

  begin(kind: Kind): void {
    this.why = undefined;
    this.#kind = kind;
    this.#isValueNext = false;
    if (this.#seen.size > 0) this.#seen = new KeyTable();
    if (this.#groups.size > 0) this.#groups = new Set();
    if (this.#nodes.size > 0) this.#nodes = new Set();
  }

  text(buf: Buffer, start: number, end: number): void {
    const kind = this.#kind;
    if (kind !== 'hash' && kind !== 'set' && kind !== 'zset') return;
    const isValue = this.#isValueNext;
    this.#isValueNext = kind === 'hash' && !isValue;
    if (isValue || this.why !== undefined) return;
    this.#hash.update(0, buf, start, end);
    if (this.#seen.add(this.#hash.a, this.#hash.b, this.#hash.c)) return;
    this.why = `${kind === 'hash' ? 'a field' : 'a member'} comes twice in it`;
  }

  streamNode(_bytes: number, ms: bigint, seq: bigint): void {
    if (!isNew(this.#nodes, `${ms}-${seq}`)) this.why ??= `the node ${ms}-${seq} comes twice in it`;
  }

  streamGroup({ name, pending, consumers }: StreamGroup): void {
    if (!isNew(this.#groups, name.toString('latin1'))) this.why ??= 'a consumer group comes twice in it';
    const unowned = new Set<string>();
    for (const { id } of pending) {
      if (!isNew(unowned, id)) this.why ??= `the pending entry ${id} comes twice in a group`;
    }
    const names = new Set<string>();
    for (const consumer of consumers) {
      if (!isNew(names, consumer.name.toString('latin1'))) this.why ??= 'a consumer comes twice in a group';
      for (const id of consumer.pending) {
        if (!unowned.delete(id)) this.why ??= `the pending entry ${id} of a consumer is not one of its group`;
      }
    }
    const [orphan] = unowned;
    if (orphan !== undefined) this.why ??= `the pending entry ${orphan} of a group is no consumer's`;
  }

  score(): void {}
  fieldExpiry(): void {}
  streamEntry(): void {}
  streamInfo(): void {}
  moduleValue(): void {}
  end(): void {}
}

function isNew(known: Set<string>, one: string): boolean {
  const { size } = known;
  return known.add(one).size > size;
}
