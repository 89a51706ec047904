import { expect, test } from 'vitest';
import { memorySink, memorySpill, rdbFixture, sourceOf } from '../../test/support/rdb-files.ts';
import { engineOf, libraryName, registeredNames } from './function-library.ts';
import { type MergeReport, mergeFiles } from './merge.ts';
import type { OnConflict } from './merge-input.ts';
import { RdbWriter } from './writer.ts';

test.each([
  ['#!lua name=lib\n', 'lib', 'lua'],
  ['#!LUA name="quoted lib"\nreturn', 'quoted lib', 'lua'],
  ['#!js api_version=1 name=other\n', 'other', 'js'],
  ['no shebang', '', ''],
])('the first line of %j', (code, name, engine) => {
  expect(libraryName(Buffer.from(code))).toBe(name);
  expect(engineOf(Buffer.from(code))).toBe(engine);
});

test.each([
  ['redis.register_function("Same", function() end)', ['same'], false],
  ["redis.register_function('a', f) server.register_function('b', g)", ['a', 'b'], false],
  ['redis.register_function{function_name="t", callback=f, flags={"no-writes"}}', ['t'], false],
  ['redis.register_function({ callback = f, function_name = [[long]] })', ['long'], false],
  ['redis.register_function "bare"', ['bare'], false],
  ['for i = 1, 2 do redis.register_function("f" .. i, f) end', [], true],
  ['redis.register_function(name, f)', [], true],
  ['-- redis.register_function("commented", f)\nlocal s = "-- no comment"', [], false],
  ['--[[ redis.register_function("x", f)\n]] redis.register_function("y", f)', ['y'], false],
])('the functions of %j', (code, names, hasOthers) => {
  expect(registeredNames(Buffer.from(code))).toEqual({ names, hasOthers });
});

async function merged(onConflict: OnConflict): Promise<{ report: MergeReport; bytes: Buffer }> {
  const { sink, bytes } = memorySink();
  const writer = new RdbWriter(sink, 'redis', 10);
  const files = ['a', 'b'].map((name) => sourceOf(name, rdbFixture(`fn-same-name-${name}.rdb`)));
  const report = await mergeFiles(files, async () => writer, {
    ...{ onConflict, nowMs: 0, spill: memorySpill(), onConflictFound: () => {}, onUnloadable: () => {} },
  });
  writer.finish();
  return { report, bytes: await bytes() };
}

test('two libraries that register one function are a conflict: no server would load both', async () => {
  await expect(merged('fail')).rejects.toMatchObject({
    code: 'RDB_CONFLICT',
    message: 'function library libb has a function same, and so has library liba',
  });
  const { report, bytes } = await merged('first');
  expect(report.functionClashes).toHaveLength(1);
  expect(bytes.includes('name=liba')).toBe(true);
  expect(bytes.includes('name=libb')).toBe(false);
  expect((await merged('last')).bytes.includes('name=libb')).toBe(true);
});
