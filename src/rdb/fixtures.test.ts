import { describe, expect, test } from 'vitest';
import { entriesOf, inPieces, rdbFixtures } from '../../test/support/rdb-files.ts';
import { bodyMode } from './body/mode.ts';
import type { ValueVisitor } from './body/visitor.ts';
import type { RdbEntry } from './entries.ts';
import { problemOf } from './errors.ts';
import { Scanner } from './scanner.ts';
import { RdbVerifier } from './verify.ts';

const good = rdbFixtures().filter(({ name }) => !name.startsWith('corrupt'));

/** Everything a file holds, as lines; what is read must not depend on where the pieces are cut. */
function transcript(bytes: Buffer, pieceBytes: number): string[] {
  const lines: string[] = [];
  const visitor: ValueVisitor = {
    begin: (kind, count) => lines.push(`begin ${kind} ${count}`),
    text: (buf, start, end) => lines.push(`text ${buf.toString('latin1', start, end)}`),
    score: (value) => lines.push(`score ${value}`),
    fieldExpiry: (atMs) => lines.push(`expires ${atMs}`),
    streamEntry: (id, fields) => lines.push(`entry ${id} ${fields}`),
    streamInfo: ({ length, lastId }) => lines.push(`stream ${length} ${lastId}`),
    streamGroup: (group) =>
      lines.push(
        `group ${JSON.stringify(group, (_, held) => (typeof held === 'bigint' ? `${held}` : held))}`,
      ),
    moduleValue: (name) => lines.push(`module ${name}`),
    end: () => lines.push('end'),
  };
  const raw: Buffer[] = [];
  const scanner = new Scanner({
    aux: (name, value) => lines.push(`aux ${name} ${value}`),
    functionLibrary: (code) => lines.push(`function ${code}`),
    key: (found) => {
      lines.push(`key ${found.db} ${found.copyKey().toString('latin1')} ${found.expireMs}`);
      return { mode: bodyMode.decode, raw: 'entry', visitor };
    },
    raw: (buf, from, to) => raw.push(Buffer.from(buf.subarray(from, to))),
    end: () => lines.push(`raw ${Buffer.concat(raw.splice(0)).toString('hex')}`),
  });
  for (const piece of inPieces(bytes, pieceBytes)) scanner.push(piece);
  scanner.finish();
  lines.push(scanner.checksum);
  return lines;
}

describe.each(good)('$name', ({ bytes }) => {
  test('reads the same whole, byte by byte, and in odd pieces', () => {
    const whole = transcript(bytes, bytes.length);
    expect(whole.length).toBeGreaterThan(0);
    for (const size of [1, 7, 100]) expect(transcript(bytes, size)).toEqual(whole);
  });

  test('is good', () => {
    const verifier = new RdbVerifier();
    for (const piece of inPieces(bytes, 50)) verifier.push(piece);
    const report = verifier.finish();
    expect(report.problemCount).toBe(0);
    expect(report.bytes).toBe(bytes.length);
  });
});

test.each(good.filter(({ answer }) => answer !== undefined))(
  '$name agrees with its answer key',
  async ({ bytes, answer }) => {
    const expected = (answer as Answer[]).filter(({ type }) => type !== 'aux' && type !== 'functions');
    const entries = await entriesOf(bytes);
    expect(entries.map(asAnswer).toSorted(byKey)).toEqual(expected.map(normal).toSorted(byKey));
  },
);

test('the two corrupt files are told to be so, with the place and the reason', () => {
  const file = (name: string) => rdbFixtures().find((fixture) => fixture.name === name)!.bytes;
  const verifier = new RdbVerifier();
  verifier.push(file('corrupt_empty_keys.rdb'));
  const { problems, keys } = verifier.finish();
  expect(keys).toBe(9);
  expect(problems.map(({ kind, key }) => [kind, key?.toString()])).toEqual(
    [
      'set',
      'hash',
      'list_ziplist',
      'zset',
      'zset_listpack',
      'hash_ziplist',
      'list_quicklist',
      'zset_ziplist',
      'list_quicklist_empty_ziplist',
    ].map((key) => ['empty', key]),
  );
  let thrown: unknown;
  try {
    new RdbVerifier().push(file('corrupt_ziplist.rdb'));
  } catch (error) {
    thrown = error;
  }
  expect(problemOf(thrown)).toMatchObject({ kind: 'corrupt', db: 0, key: Buffer.from('key:000000000091') });
  expect((thrown as Error).message).toMatch(/byte \d+, database 0, key 'key:000000000091': ziplist: /);
});

interface Comparable {
  db: number;
  key: string;
  type: string;
  expireMs: number | undefined;
  value?: unknown;
  lastId?: string | undefined;
}

interface Answer {
  db: number;
  key: string;
  type: string;
  expiration?: string;
  value?: string;
  values?: string[];
  members?: string[];
  entries?: {
    member?: string;
    score?: number;
    msgs?: { id: string; fields: Record<string, string>; deleted: boolean }[];
  }[];
  hash?: Record<string, string>;
  expire?: Record<string, number>;
  len?: number;
  lastId?: string;
}

/** The key's author lost bytes that are not UTF-8, one mark for one or more of them. */
function text(value: string | Buffer): string {
  return value.toString().replace(/\ufffd+/g, '?');
}

function byKey(one: { db: number; key: string }, other: { db: number; key: string }): number {
  return one.db - other.db || (one.key < other.key ? -1 : one.key > other.key ? 1 : 0);
}

function normal(answer: Answer): Comparable {
  const base = { db: answer.db, key: text(answer.key), type: answer.type, expireMs: expiryOf(answer) };
  switch (answer.type) {
    case 'string':
      return { ...base, value: text(answer.value ?? '') };
    case 'list':
      return { ...base, value: (answer.values ?? []).map(text) };
    case 'set':
      return { ...base, value: (answer.members ?? []).map(text).toSorted() };
    case 'zset':
      return {
        ...base,
        value: (answer.entries ?? []).map(({ member, score }) => [text(member ?? ''), score]).toSorted(),
      };
    case 'hash':
      return {
        ...base,
        value: Object.entries(answer.hash ?? {})
          .map(([field, value]) => [text(field), text(value), answer.expire?.[field] || 0])
          .toSorted(),
      };
    default:
      return { ...base, value: streamOf(answer), lastId: answer.lastId };
  }
}

function expiryOf({ expiration }: Answer): number | undefined {
  return expiration === undefined ? undefined : Date.parse(expiration);
}

function streamOf(answer: Answer): unknown {
  const live = (answer.entries ?? []).flatMap(({ msgs }) => (msgs ?? []).filter(({ deleted }) => !deleted));
  return live.map(({ id, fields }) => [id, Object.entries(fields).toSorted()]);
}

function toNumber(time: bigint | undefined): number | undefined {
  return time === undefined ? undefined : Number(time);
}

function asAnswer(entry: RdbEntry): Comparable {
  const value = entry.value();
  const base = { db: entry.db, key: text(entry.key), type: value.kind, expireMs: toNumber(entry.expireMs) };
  switch (value.kind) {
    case 'string':
      return { ...base, value: text(value.value) };
    case 'list':
      return { ...base, value: value.items.map(text) };
    case 'set':
      return { ...base, value: value.members.map(text).toSorted() };
    case 'zset':
      return { ...base, value: value.members.map(({ member, score }) => [text(member), score]).toSorted() };
    case 'hash':
      return {
        ...base,
        value: value.fields
          .map((each) => [text(each.field), text(each.value), toNumber(each.expireMs) ?? 0])
          .toSorted(),
      };
    case 'stream':
      return {
        ...base,
        value: value.entries.map(({ id, fields }) => [
          id,
          // The answer key has an object here: of a field that comes twice, it has the last.
          Object.entries(
            Object.fromEntries(fields.map((each) => [text(each.field), text(each.value)])),
          ).toSorted(),
        ]),
        lastId: value.info.lastId,
      };
    default:
      return base;
  }
}
