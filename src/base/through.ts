import type { Readable, Writable } from 'node:stream';

/** Feeds a stream and yields what comes out; each piece is taken in before the next is asked for. */
export async function* through(
  pieces: AsyncIterable<Buffer>,
  input: Writable,
  output: Readable,
): AsyncGenerator<Buffer> {
  // Errors of the input come back through the write that meets them.
  input.on('error', () => {});
  const feeding = (async () => {
    for await (const piece of pieces) await write(input, piece);
    input.end();
  })();
  feeding.catch((error: unknown) => output.destroy(error as Error));
  try {
    for await (const piece of output) yield piece as Buffer;
    await feeding;
  } finally {
    input.destroy();
    output.destroy();
  }
}

function write(stream: Writable, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}
