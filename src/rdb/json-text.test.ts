import { expect, test } from 'vitest';
import { memorySink } from '../../test/support/rdb-files.ts';
import { putJsonNumber, putJsonString } from './json-text.ts';

async function jsonOf(bytes: Buffer): Promise<string> {
  const { sink, bytes: written } = memorySink();
  putJsonString(sink, bytes, 0, bytes.length);
  return (await written()).toString();
}

/** What Python calls surrogateescape, backwards. */
function bytesOf(text: string): Buffer {
  const pieces: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    pieces.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character));
  }
  return Buffer.concat(pieces);
}

test.each([
  ['plain', '"plain"'],
  ['', '""'],
  ['"\\\b\t\n\f\r', '"\\"\\\\\\b\\t\\n\\f\\r"'],
  ['\u0000\u001f\u007f', '"\\u0000\\u001f\\u007f"'],
  ['é€😀', '"é€😀"'],
  ['one\u2028two\u2029three\u0085four', '"one\\u2028two\\u2029three\\u0085four"'],
])('%j is written as %s', async (text, expected) => {
  expect(await jsonOf(Buffer.from(text))).toBe(expected);
});

test('every pair of bytes, and any others, come back as they were', async () => {
  for (let first = 0; first < 256; first++) {
    const row = Buffer.from(
      Array.from({ length: 512 }, (_, index) => (index % 2 === 0 ? first : index >> 1)),
    );
    expect(bytesOf(JSON.parse(await jsonOf(row)) as string)).toEqual(row);
  }
  for (const bytes of [
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe0, 0x80, 0x80],
    [0xf0, 0x9f, 0x98],
  ]) {
    const text = JSON.parse(await jsonOf(Buffer.from(bytes))) as string;
    expect(text).toHaveLength(bytes.length);
    expect(bytesOf(text)).toEqual(Buffer.from(bytes));
  }
});

test('strings longer than a buffer are whole', async () => {
  const bytes = Buffer.alloc(1_000_003, 'aé"');
  expect(JSON.parse(await jsonOf(bytes))).toBe(bytes.toString());
});

test('numbers are JSON, and what JSON does not have are strings', async () => {
  const { sink, bytes } = memorySink();
  for (const value of [0, -0, 1.5, 1e300, Infinity, -Infinity, Number.NaN]) {
    putJsonNumber(sink, value);
    sink.ascii(' ');
  }
  expect((await bytes()).toString()).toBe('0 -0.0 1.5 1e+300 "inf" "-inf" "nan" ');
});
