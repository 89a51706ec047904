import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { errorText } from '../base/errors.ts';
import { Crc64 } from '../rdb/crc64.ts';
import type { ReadOrder, ReadPiece } from './rdb-read-ahead.ts';

/**
 * The thread of ReadAhead: reads a file into shared memory, piece after piece, sums each up, and waits while all
 * places are taken. Its end is a piece of no bytes, or what went wrong.
 */
function readAll(order: ReadOrder, tell: (piece: ReadPiece) => void): void {
  const done = new Int32Array(order.shared, 0, 1);
  const places = order.places.map((place) => Buffer.from(order.shared, place, order.pieceBytes));
  let at = order.from;
  for (let count = 0; ; count++) {
    for (;;) {
      const seen = Atomics.load(done, 0);
      if (count - seen < places.length) break;
      Atomics.wait(done, 0, seen);
    }
    const place = places[count % places.length]!;
    const bytes = readSync(order.fd, place, 0, place.length, at);
    const crc = new Crc64();
    crc.update(place, 0, bytes);
    tell({ bytes, low: crc.low, high: crc.high });
    if (bytes === 0) return;
    at += bytes;
  }
}

if (parentPort !== null) {
  const port = parentPort;
  try {
    readAll(workerData as ReadOrder, (piece) => port.postMessage(piece));
  } catch (error) {
    port.postMessage({ bytes: 0, low: 0, high: 0, failure: errorText(error) } satisfies ReadPiece);
  }
}
