/**
 * Finds values that end the server which loads them, though each byte of them is in order: the same element twice in a
 * set, sorted set or hash; the same group, consumer or pending entry twice in a stream; an entry that a consumer has and
 * its group does not. Servers write no such thing. Source: redis src/rdb.c, rdbLoadObject.
 */
import { createReadStream } from 'node:fs';
import { bodyMode } from '../rdb/body/mode.ts';
import type { StreamGroup, ValueVisitor } from '../rdb/body/visitor.ts';
import { quoteKey } from '../rdb/errors.ts';
import { type Kind, typeInfo } from '../rdb/format.ts';
import { KeyHash } from '../rdb/key-hash.ts';
import { KeyTable } from '../rdb/key-table.ts';
import { pump } from '../rdb/pump.ts';
import type { BodyWish } from '../rdb/scan-handler.ts';
import { Scanner } from '../rdb/scanner.ts';
import { DoesNotFit } from './errors.ts';

const shownPlaces = 5;
const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };

/**
 * Reads a file that a server is to load, whose bytes were checked before.
 * @throws RESTORE_DOES_NOT_FIT, with the keys that would end the server.
 */
export async function refuseDeadlyValues(file: string, version: string): Promise<void> {
  const values = new DeadlyValues();
  const lookInto: BodyWish = { mode: bodyMode.decode, raw: undefined, visitor: values };
  const places: string[] = [];
  let count = 0;
  const scanner = new Scanner({
    key: ({ type, flavor }) => {
      values.why = undefined;
      return kindsThatMayEndIt.has(typeInfo(type, flavor)?.kind ?? '') ? lookInto : passOver;
    },
    end: (at) => {
      if (values.why === undefined) return;
      count++;
      if (places.length < shownPlaces) {
        places.push(`key ${quoteKey(at.copyKey())} of database ${at.db}: ${values.why}`);
      }
    },
  });
  await pump(createReadStream(file, { highWaterMark: 2 ** 18 }) as AsyncIterable<Buffer>, scanner);
  if (count === 0) return;
  const rest = count > places.length ? `; and ${count - places.length} more` : '';
  throw DoesNotFit(`${version} would end when it loads it: ${places.join('; ')}${rest}`, {
    hint: 'Nothing was changed. No server writes such values: look where the file is from. Without those keys it can be restored: choose others with --match, or holdfast rdb filter.',
  });
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
  readonly #hash = new KeyHash();

  begin(kind: Kind): void {
    this.why = undefined;
    this.#kind = kind;
    this.#isValueNext = false;
    if (this.#seen.size > 0) this.#seen = new KeyTable();
    if (this.#groups.size > 0) this.#groups = new Set();
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
