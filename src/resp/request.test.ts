import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readArguments, splitInline } from './arguments.ts';
import {
  createRequestFrame,
  frameRequest,
  INCOMPLETE,
  MALFORMED,
  type RequestLimits,
  redisRequestLimits,
  shiftFrame,
  unauthenticatedLimits,
} from './request.ts';
import { writeRequest } from './write.ts';

function frame(text: string, limits: RequestLimits = redisRequestLimits) {
  const buf = Buffer.from(text, 'latin1');
  const found = createRequestFrame();
  const end = frameRequest(buf, 0, buf.length, found, limits);
  return {
    end,
    error: found.error,
    count: found.count,
    name: buf.toString('latin1', found.nameStart, found.nameEnd),
  };
}

describe('a whole request', () => {
  test('gives its end, its name and its second argument', () => {
    const buf = writeRequest(['SET', 'key', 'value']);
    const found = createRequestFrame();
    expect(frameRequest(buf, 0, buf.length, found, redisRequestLimits)).toBe(buf.length);
    expect(buf.toString('latin1', found.nameStart, found.nameEnd)).toBe('SET');
    expect(buf.toString('latin1', found.argStart, found.argEnd)).toBe('key');
    expect(found.count).toBe(3);
  });

  test('without arguments has no second one', () => {
    const found = createRequestFrame();
    const buf = writeRequest(['PING']);
    frameRequest(buf, 0, buf.length, found, redisRequestLimits);
    expect(found.argStart).toBe(-1);
  });

  test.each(['*0\r\n', '*-1\r\n', '*-10\r\n'])('%j asks for nothing', (text) => {
    expect(frame(text)).toMatchObject({ end: text.length, count: 0 });
  });

  test('that is a line of words is inline', () => {
    expect(frame('PING hello\r\nrest')).toMatchObject({ end: 12, count: -1 });
    expect(frame('PING\n')).toMatchObject({ end: 5, count: -1 });
  });

  test('with ten or more elements', () => {
    const args = Array.from({ length: 12 }, (_, index) => `arg${index}`);
    const buf = writeRequest(args);
    expect(frame(buf.toString('latin1'))).toMatchObject({ end: buf.length, count: 12, name: 'arg0' });
  });
});

describe('a malformed request gets the error that Redis gives', () => {
  test.each([
    ['*x\r\n', 'Protocol error: invalid multibulk length'],
    ['*3000000000\r\n', 'Protocol error: invalid multibulk length'],
    ['*01\r\n', 'Protocol error: invalid multibulk length'],
    ['*1\r\n:1\r\n', "Protocol error: expected '$', got ':'"],
    ['*1\r\n$x\r\n', 'Protocol error: invalid bulk length'],
    ['*1\r\n$-1\r\n', 'Protocol error: invalid bulk length'],
    ['*1\r\n$536870913\r\n', 'Protocol error: invalid bulk length'],
    ['*1\r\n$99999999999999999999\r\n', 'Protocol error: invalid bulk length'],
    [`*${'1'.repeat(70_000)}`, 'Protocol error: too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(70_000)}`, 'Protocol error: too big bulk count string'],
    ['x'.repeat(70_000), 'Protocol error: too big inline request'],
  ])('%#', (text, error) => {
    expect(frame(text)).toMatchObject({ end: MALFORMED, error });
  });

  test('when a client has not authenticated', () => {
    expect(frame('*11\r\n', unauthenticatedLimits).error).toBe(
      'Protocol error: unauthenticated multibulk length',
    );
    expect(frame('*1\r\n$16385\r\n', unauthenticatedLimits).error).toBe(
      'Protocol error: unauthenticated bulk length',
    );
  });
});

const requests = fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 14 }), {
  minLength: 1,
  maxLength: 6,
});

test('any requests, cut anywhere and moved in memory, have the same ends', () => {
  fc.assert(
    fc.property(requests, fc.array(fc.nat(30), { minLength: 1 }), (all, cuts) => {
      const bytes = all.map((args) => writeRequest(args));
      const whole = Buffer.concat(bytes);
      const found = createRequestFrame();
      const seen: string[] = [];
      let buf = Buffer.alloc(0);
      let fed = 0;
      for (let turn = 0; fed < whole.length; turn++) {
        const next = Math.min(whole.length, fed + 1 + (cuts[turn % cuts.length] as number));
        buf = Buffer.concat([buf, whole.subarray(fed, next)]);
        fed = next;
        let pos = 0;
        for (;;) {
          const end = frameRequest(buf, pos, buf.length, found, redisRequestLimits);
          if (end === INCOMPLETE) break;
          expect(end).toBeGreaterThan(pos);
          seen.push(buf.toString('latin1', pos, end));
          pos = end;
        }
        shiftFrame(found, pos);
        buf = buf.subarray(pos);
      }
      expect(seen).toEqual(bytes.map((each) => each.toString('latin1')));
    }),
  );
});

test('arguments come out as they went in', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), (args) => {
      const buf = writeRequest(args);
      expect(readArguments(buf, 0, buf.length).map((arg) => [...arg])).toEqual(args.map((arg) => [...arg]));
    }),
  );
});

test('a NUL byte hides the end of an inline request from a server, up to 64 KiB', () => {
  for (const text of ['\0\r\nPING\r\n', 'DEL a\0b\r\nPING\r\n', 'PING "\0"\r\n']) {
    expect(frame(text).end, JSON.stringify(text)).toBe(INCOMPLETE);
  }
  expect(frame('PING\r\nGET \0\r\n').end).toBe(6);
  const long = frame(`DEL a\0b\r\n${'x'.repeat(70_000)}`);
  expect([long.end, long.error]).toEqual([MALFORMED, 'Protocol error: too big inline request']);
});

describe('words of an inline request', () => {
  test.each([
    ['SET key value', ['SET', 'key', 'value']],
    ['  SET   key  ', ['SET', 'key']],
    ['SET k "a b\\n\\x41\\"c"', ['SET', 'k', 'a b\nA"c']],
    ["SET k 'a \\' b\\n'", ['SET', 'k', "a ' b\\n"]],
    ['ECHO ""', ['ECHO', '']],
    ['', []],
    ['PING\0 not this', ['PING']],
  ])('%j', (line, words) => {
    expect(splitInline(Buffer.from(line))?.map(String)).toEqual(words);
  });

  test.each(['SET "a', "SET 'a", 'SET "a"b', "SET 'a'b", 'SET "a\0"', "SET 'a\0'"])(
    '%j is unbalanced',
    (line) => {
      expect(splitInline(Buffer.from(line))).toBeUndefined();
    },
  );
});
