/** Expiries are 64-bit integers: none may be rounded, whatever is done with a file. */
import { expect, test } from 'vitest';
import {
  entriesOf,
  inPieces,
  makeRdb,
  memorySink,
  memorySpill,
  sourceOf,
} from '../../test/support/rdb-files.ts';
import { jsonText } from '../base/json-text.ts';
import { diffFiles } from './diff.ts';
import { filterInto } from './filter.ts';
import { Inspector } from './inspect.ts';
import { JsonWriter } from './json.ts';
import { mergeFiles } from './merge.ts';
import { RespWriter } from './resp.ts';
import { Scanner } from './scanner.ts';
import { RdbVerifier } from './verify.ts';
import { RdbWriter } from './writer.ts';

const times = [
  2n ** 63n - 1n,
  9_007_199_254_740_993n,
  9_007_199_254_000_123n,
  4_102_444_800_123n,
  -(2n ** 63n),
  -2n,
  0n,
];

const file = (time: bigint) => makeRdb([{ key: 'far', value: 'x', expireMs: time }]);
const all = () => true;

async function through(bytes: Buffer, handler: ConstructorParameters<typeof Scanner>[0]): Promise<Scanner> {
  const scanner = new Scanner(handler);
  for (const piece of inPieces(bytes, 5)) scanner.push(piece);
  scanner.finish();
  return scanner;
}

test.each(times)('%s is the same wherever it is shown or written', async (time) => {
  const bytes = await file(time);
  const json = memorySink();
  await through(bytes, new JsonWriter(json.sink, { lines: true, test: all }));
  expect((await json.bytes()).toString()).toContain(`"expireAt":${time},`);
  const resp = memorySink();
  await through(bytes, new RespWriter(resp.sink, { replace: false, test: all, onUnloadable: () => {} }));
  expect((await resp.bytes()).toString()).toContain(
    `PEXPIREAT\r\n$3\r\nfar\r\n$${String(time).length}\r\n${time}\r\n`,
  );
  const inspector = new Inspector({ nowMs: 0, top: 1 });
  const report = inspector.report(await through(bytes, inspector));
  expect(report).toMatchObject({ firstExpiryMs: time, lastExpiryMs: time });
  expect(jsonText({ report })).toContain(`"lastExpiryMs": ${time}`);
  for (const version of [6, 10]) {
    const written = memorySink();
    const writer = new RdbWriter(written.sink, 'redis', version);
    const target = { flavor: 'redis', version } as const;
    const options = { test: all, target, inputAux: {}, nowMs: 0, onUnloadable: () => {} };
    await through(bytes, filterInto(writer, options));
    writer.finish();
    expect((await entriesOf(await written.bytes()))[0]?.expireMs).toBe(time);
  }
  const prefixed = memorySink();
  const writer = new RdbWriter(prefixed.sink, 'redis', 10);
  await mergeFiles([{ ...sourceOf('a', bytes), prefix: Buffer.from('p:') }], async () => writer, {
    ...{ onConflict: 'fail', nowMs: 0, spill: memorySpill() },
    ...{ onConflictFound: () => {}, onUnloadable: () => {} },
  });
  writer.finish();
  expect((await entriesOf(await prefixed.bytes()))[0]?.expireMs).toBe(time);
});

test.each(times.filter((time) => time !== 2n ** 63n - 1n && time !== -2n))(
  '%s and a millisecond later are told apart',
  async (time) => {
    const [one, other] = [await file(time), await file(time + 1n)];
    const compare = (expiryToleranceMs: number) =>
      diffFiles(sourceOf('one', one), sourceOf('other', other), {
        ...{ spill: memorySpill(), expiryToleranceMs, ignoreExpiry: false, details: 0 },
        onDifference: () => {},
      });
    expect(await compare(0)).toMatchObject({ differing: 1 });
    expect(await compare(1)).toMatchObject({ same: 1 });
    const digest = (bytes: Buffer) => {
      const verifier = new RdbVerifier({ digest: true });
      verifier.push(bytes);
      return verifier.finish().dataDigest;
    };
    expect(digest(one)).not.toBe(digest(other));
    const written = memorySink();
    const writer = new RdbWriter(written.sink, 'redis', 10);
    await mergeFiles([sourceOf('one', one), sourceOf('other', other)], async () => writer, {
      ...{ onConflict: 'newest-expiry', nowMs: 0, spill: memorySpill() },
      ...{ onConflictFound: () => {}, onUnloadable: () => {} },
    });
    writer.finish();
    expect((await entriesOf(await written.bytes())).map(({ expireMs }) => expireMs)).toEqual([time + 1n]);
  },
);
