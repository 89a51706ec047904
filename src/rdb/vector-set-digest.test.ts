/** A vector set is what it holds; the graph that a server keeps beside it is another one after each load. */
import { expect, test } from 'vitest';
import { lengthBytes, lengthPrefixed, makeRdb, memorySpill, sourceOf } from '../../test/support/rdb-files.ts';
import { diffFiles } from './diff.ts';
import { ValueDigest } from './digest.ts';
import { type } from './format.ts';
import { LongHash } from './long-hash.ts';
import { visitBody } from './value.ts';
import { RdbVerifier } from './verify.ts';

interface Element {
  name: string;
  vector: string;
  attributes?: string;
  links?: number[];
  range?: number;
}

const integer = (value: number) => Buffer.concat([lengthBytes(2), lengthBytes(value)]);
const text = (value: string) => Buffer.concat([lengthBytes(5), lengthPrefixed(value)]);

function id(name: string, version: number): Buffer {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  let bits = 0n;
  for (const each of name) bits = (bits << 6n) | BigInt(characters.indexOf(each));
  const bytes = Buffer.alloc(9, 0x81);
  bytes.writeBigUInt64BE((bits << 10n) | BigInt(version), 1);
  return bytes;
}

function vectorSet(
  elements: Element[],
  { dimension = 3, config = 0x1001, flags = 2, version = 0 } = {},
): Buffer {
  const parts = elements.flatMap(({ name, vector, attributes = '', links = [], range = 7 }) => {
    const params = [1, 0x1000000, links.length, 32, ...links, 99, range];
    return [
      text(name),
      ...(flags & 2 ? [text(attributes)] : []),
      ...[text(vector), integer(params.length), ...params.map(integer)],
    ];
  });
  const head = [dimension, elements.length, config, flags].map(integer);
  const projection = flags & 1 ? [integer(9), text('matrix')] : [];
  return Buffer.concat([id('vectorset', version), ...head, ...projection, ...parts, lengthBytes(0)]);
}

function sumOf(body: Buffer): string {
  const digest = new ValueDigest(new LongHash(Buffer.from('holdfast')));
  expect(visitBody(type.module2, 'redis', body, digest)).toBe(true);
  return `${digest.low} ${digest.high}`;
}

const one: Element = { name: 'one', vector: 'abc', attributes: '{"a":1}', links: [2, 3] };
const two: Element = { name: 'two', vector: 'xyz', links: [1] };
const base = [one, two];

test('elements in another order, with other links, are the same', () => {
  const sum = sumOf(vectorSet(base));
  expect(sumOf(vectorSet([two, one]))).toBe(sum);
  expect(
    sumOf(
      vectorSet([
        { ...one, links: [3, 2] },
        { ...two, links: [] },
      ]),
    ),
  ).toBe(sum);
  // Files before links could be set say 0 for the usual 16.
  expect(sumOf(vectorSet(base, { config: 0x01 }))).toBe(sum);
});

test('whatever else changes is a difference', () => {
  const changed = [
    vectorSet([one]),
    vectorSet([one, { ...two, name: 'TWO' }]),
    vectorSet([one, { ...two, vector: 'xyw' }]),
    vectorSet([one, { ...two, range: 8 }]),
    vectorSet([{ ...one, attributes: '{"a":2}' }, two]),
    vectorSet([{ ...one, attributes: '' }, two]),
    vectorSet([
      { ...one, vector: 'xyz' },
      { ...two, vector: 'abc' },
    ]),
    vectorSet([one, two, two]),
    vectorSet(base, { dimension: 4 }),
    vectorSet(base, { config: 0x1002 }),
    vectorSet(base, { flags: 3 }),
    vectorSet(base, { version: 1 }),
  ];
  const sums = [vectorSet(base), ...changed].map(sumOf);
  expect(new Set(sums).size).toBe(sums.length);
});

test('attributes that no element has are none', () => {
  const plain = [one, two].map(({ attributes: _, ...each }) => each);
  expect(sumOf(vectorSet(plain))).toBe(sumOf(vectorSet(plain, { flags: 0 })));
});

test('what other modules stored counts in its order, and as it stands when it is compressed', async () => {
  const other = (...parts: Buffer[]) => Buffer.concat([id('MBbloom--', 4), ...parts, lengthBytes(0)]);
  const float = Buffer.concat([lengthBytes(3), Buffer.from([1, 2, 3, 4])]);
  const sums = [
    other(integer(1), text('a'), float),
    other(text('a'), integer(1), float),
    other(integer(2), text('a'), float),
    other(integer(1), text('b'), float),
    other(integer(1), text('a'), Buffer.concat([lengthBytes(3), Buffer.from([1, 2, 3, 5])])),
  ].map(sumOf);
  expect(new Set(sums).size).toBe(sums.length);
  // LZF: one byte as it is, then 19 from one back.
  const packed = Buffer.from([5, 0xc3, 5, 20, 0x00, 0x61, 0xe0, 10, 0x00]);
  expect(sumOf(other(packed))).toBe(sumOf(other(text('a'.repeat(20)))));
});

test('diff and verify go by it', async () => {
  const files = await Promise.all(
    [base, [two, one], [one]].map((elements) =>
      makeRdb([{ key: 'v', type: type.module2, value: vectorSet(elements) }], { version: 13 }),
    ),
  );
  const [first, same, less] = files as [Buffer, Buffer, Buffer];
  const options = { spill: memorySpill(), expiryToleranceMs: 0, ignoreExpiry: false, details: 1 };
  const differing = async (other: Buffer) =>
    (await diffFiles(sourceOf('a', first), sourceOf('b', other), { ...options, onDifference: () => {} }))
      .differing;
  expect(await differing(same)).toBe(0);
  expect(await differing(less)).toBe(1);
  const digests = files.map((file) => {
    const verifier = new RdbVerifier({ digest: true });
    for (let at = 0; at < file.length; at += 7) verifier.push(file.subarray(at, at + 7));
    return verifier.finish().dataDigest;
  });
  expect(digests[1]).toBe(digests[0]);
  expect(digests[2]).not.toBe(digests[0]);
});
