/**
 * The payload of a full synchronisation, in large pieces. Three buffers take turns: a piece is valid until the one
 * after the next is asked for.
 *
 * - `$<length>`: as many bytes as it says.
 * - `$EOF:<mark>`: everything up to the 40 bytes of the mark. The server sends nothing behind it, so it is looked for
 *   only at the end of what has arrived; the last 40 bytes are held back until it is known what they are.
 */
const pieceBytes = 2 ** 20;
const markBytes = 40;

export type BodyEnd = { length: number } | { mark: Buffer };

/**
 * @param arrivals what comes in; each is copied before the next is asked for.
 * @param onRest called with what arrived behind the payload, if anything did, before the last piece is given.
 */
export async function* snapshotBody(
  arrivals: AsyncIterable<Buffer>,
  end: BodyEnd,
  onRest?: (rest: Buffer) => void,
): AsyncGenerator<Buffer> {
  const buffers = [0, 1, 2].map(() => Buffer.allocUnsafeSlow(pieceBytes));
  let turn = 0;
  let buf = buffers[0]!;
  let used = 0;
  let left = 'length' in end ? end.length : Number.POSITIVE_INFINITY;
  const held = 'mark' in end ? markBytes : 0;
  if (left === 0) return;
  for await (const arrival of arrivals) {
    const count = Math.min(arrival.length, left);
    for (let at = 0; at < count; ) {
      if (used === buf.length) {
        const full = buf;
        turn = (turn + 1) % buffers.length;
        buf = buffers[turn]!;
        full.copy(buf, 0, full.length - held);
        used = held;
        yield full.subarray(0, full.length - held);
      }
      const copied = arrival.copy(buf, used, at, Math.min(count, at + buf.length - used));
      used += copied;
      at += copied;
    }
    left -= count;
    const isOver = 'mark' in end ? endsWith(buf, used, end.mark) : left === 0;
    if (!isOver) continue;
    if (count < arrival.length) onRest?.(arrival.subarray(count));
    if (used > held) yield buf.subarray(0, used - held);
    return;
  }
}

function endsWith(buf: Buffer, used: number, mark: Buffer): boolean {
  return used >= markBytes && buf.compare(mark, 0, markBytes, used - markBytes, used) === 0;
}
