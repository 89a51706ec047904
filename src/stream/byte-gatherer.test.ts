import fc from 'fast-check';
import { expect, test } from 'vitest';
import { restorePayload } from '../rdb/restore-payload.ts';
import { writeRequest } from '../resp/write.ts';
import { ByteGatherer, type Part } from './byte-gatherer.ts';

const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.string({ maxLength: 200, unit: 'binary' }),
  bytes,
  fc.record({ type: fc.integer({ min: 0, max: 30 }), body: bytes, version: fc.integer({ min: 6, max: 80 }) }),
);

test('commands stand there as a request is written, whatever is in them', () => {
  fc.assert(
    fc.property(fc.array(fc.array(part, { minLength: 1, maxLength: 12 }), { maxLength: 8 }), (commands) => {
      const gatherer = new ByteGatherer(16);
      for (const each of commands) gatherer.addCommand(each);
      const plain = commands.map((each) =>
        writeRequest(
          each.map((one) =>
            typeof one === 'string' || Buffer.isBuffer(one)
              ? one
              : restorePayload(one.type, one.body, one.version),
          ),
        ),
      );
      expect(gatherer.slice(0, gatherer.length)).toEqual(Buffer.concat(plain));
    }),
  );
});
