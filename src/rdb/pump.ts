import { rdbError } from './errors.ts';
import { Fault } from './fault.ts';
import type { Scanner } from './scanner.ts';

export interface PumpOptions {
  /** Called after each piece with the bytes of the RDB read so far; a promise is waited for. */
  after?: (bytes: number) => Promise<void> | undefined;
}

/**
 * Pushes a source through a scanner to its end. Each chunk must stay as it is until the one after the next is asked
 * for. Returns how many bytes of the source stand behind the RDB.
 * @throws what the scanner throws, RDB_TRUNCATED when the source ends too early, and RDB_CORRUPT when a file that
 * says it is too old to have a checksum goes on behind its end.
 */
export async function pump(
  source: AsyncIterable<Buffer>,
  scanner: Scanner,
  options: PumpOptions = {},
): Promise<number> {
  const trailing = new TrailingBytes(scanner);
  for await (const chunk of source) {
    trailing.add(chunk, scanner.push(chunk));
    const waiting = options.after?.(scanner.offset);
    if (waiting !== undefined) await waiting;
  }
  scanner.finish();
  trailing.check();
  return trailing.count;
}

/**
 * What stands behind the end of a file. Behind an RDB of version 5 or later that may be an append-only file. A file
 * that says it is older must end, or have a checksum all the same, as some tools write it; else it is likely that
 * its version is not what was written, and then nothing has been checked by a sum.
 */
export class TrailingBytes {
  count = 0;
  private readonly scanner: Scanner;
  private readonly first = Buffer.alloc(8);

  constructor(scanner: Scanner) {
    this.scanner = scanner;
  }

  /** @param taken how many bytes of the chunk belonged to the RDB. */
  add(chunk: Buffer, taken: number): void {
    if (taken === chunk.length) return;
    if (this.count < 8) chunk.copy(this.first, this.count, taken);
    this.count += chunk.length - taken;
  }

  /** @throws RDB_CORRUPT */
  check(): void {
    const { header, crc, offset } = this.scanner;
    if (header.version >= 5 || this.count === 0 || !this.scanner.withChecksum) return;
    const isSum = this.first.readInt32LE(0) === crc.low && this.first.readInt32LE(4) === crc.high;
    if (this.count === 8 && (isSum || this.first.equals(Buffer.alloc(8)))) return;
    const reason = `${this.count} bytes follow the end of a file of version ${header.version}, which has no checksum`;
    throw rdbError(new Fault('corrupt', reason, offset));
  }
}
