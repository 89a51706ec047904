import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { errorFromJson, errorToJson } from './error-wire.ts';
import { HoldfastError } from './errors.ts';

test('an error that goes over a socket comes back as itself', () => {
  const parts = fc.record({
    code: fc.constantFrom('NOT_RUNNING', 'REDIS_REFUSED', 'X2'),
    exitStatus: fc.constantFrom(1 as const, 2 as const, 3 as const),
    message: fc.string(),
    hint: fc.option(fc.string(), { nil: undefined }),
  });
  fc.assert(
    fc.property(parts, ({ code, exitStatus, message, hint }) => {
      const sent = new HoldfastError(code, exitStatus, message, hint === undefined ? {} : { hint });
      const back = errorFromJson(JSON.parse(JSON.stringify(errorToJson(sent))));
      expect({ ...back, message: back.message }).toEqual({ ...sent, message });
    }),
  );
});

test('what nobody meant to throw is INTERNAL, with what to do', () => {
  expect(errorToJson(new TypeError('x is no function'))).toEqual({
    code: 'INTERNAL',
    exitStatus: 1,
    message: 'x is no function',
    hint: expect.stringContaining('bug'),
  });
  expect(errorToJson('text').message).toBe('text');
});

test('whatever comes in, an error comes out', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const { code, exitStatus, message } = errorFromJson(value);
      expect(code).toMatch(/^[A-Z0-9_]+$/);
      expect([1, 2, 3]).toContain(exitStatus);
      expect(typeof message).toBe('string');
    }),
  );
  expect(errorFromJson({ code: 'rm -rf', exitStatus: 77, message: 'm', hint: 7 })).toMatchObject({
    ...{ code: 'INTERNAL', exitStatus: 1, message: 'm', hint: undefined },
  });
});

test('what the system refuses is no bug', async () => {
  const error = await readFile('/nonexistent/file').catch((thrown: unknown) => thrown);
  expect(errorToJson(error)).toEqual({
    ...{ code: 'SYSTEM_REFUSED', exitStatus: 1, hint: expect.stringContaining('there') },
    message: "the system refused open: ENOENT: no such file or directory, open '/nonexistent/file'",
  });
  const ownError = Object.assign(new Error('no'), { code: 'ERR_INVALID_ARG_TYPE' });
  expect(errorToJson(ownError)).toMatchObject({ code: 'INTERNAL' });
});

test('a full disk is no bug', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  expect(errorToJson(full)).toMatchObject({ code: 'DISK_FULL', exitStatus: 1 });
  expect(errorToJson(new Error('anything'))).toMatchObject({ code: 'INTERNAL' });
});
