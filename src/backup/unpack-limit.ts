/**
 * How much a packed RDB may become. A few megabytes can be made to unpack into terabytes, and what comes from a store or
 * a person's folder is data of others. Redis compresses long strings itself, so an RDB of real data shrinks to a tenth
 * or a fiftieth at best; what shrinks to less than a two-hundredth is refused, unless it is small anyway.
 */
import { describeSize } from '../base/size.ts';
import { BackupDamaged } from './errors.ts';

const highestRatio = 200;
const alwaysFineBytes = 64 * 2 ** 20;

const hint =
  'If it is meant to be so, unpack it with gzip -d or zstd -d, look at the size, and name the unpacked file.';

function limitOf(packedBytes: number): number {
  return Math.max(alwaysFineBytes, packedBytes * highestRatio);
}

/** Why these figures of a manifest are not believed, or undefined. */
export function unpacksTooFar(packedBytes: number, bytes: number): string | undefined {
  if (bytes <= limitOf(packedBytes)) return undefined;
  return `${describeSize(packedBytes)} are said to unpack into ${describeSize(bytes)}, more than ${highestRatio} times as much`;
}

/** Passes pieces on until there are too many bytes of them. @throws BACKUP_DAMAGED */
export async function* boundedUnpacked(
  pieces: AsyncIterable<Buffer>,
  packedBytes: number,
  compression: string,
  where: string,
): AsyncGenerator<Buffer> {
  const limit = compression === 'none' ? Number.POSITIVE_INFINITY : limitOf(packedBytes);
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > limit) {
      throw BackupDamaged(
        `${where} unpacks into more than ${highestRatio} times its ${describeSize(packedBytes)}: it was stopped there`,
        { hint },
      );
    }
    yield piece;
  }
}
