import type { Scanner } from './scanner.ts';

export interface PumpOptions {
  /** Called after each piece with the bytes of the RDB read so far; a promise is waited for. */
  after?: (bytes: number) => Promise<void> | undefined;
}

/**
 * Pushes a source through a scanner to its end. Each chunk must stay as it is until the one after the next is asked
 * for. Returns how many bytes of the source stand behind the RDB.
 * @throws what the scanner throws, and RDB_TRUNCATED when the source ends too early.
 */
export async function pump(
  source: AsyncIterable<Buffer>,
  scanner: Scanner,
  options: PumpOptions = {},
): Promise<number> {
  let trailing = 0;
  for await (const chunk of source) {
    trailing += chunk.length - scanner.push(chunk);
    const waiting = options.after?.(scanner.offset);
    if (waiting !== undefined) await waiting;
  }
  scanner.finish();
  return trailing;
}
