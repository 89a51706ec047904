import { Worker } from 'node:worker_threads';
import { tellOfPiece } from '../rdb/piece.ts';

const places = 8;
/** Places are given back so many at a time: waking the thread for each would cost more than it saves. */
const givenBack = 4;
const pieceBytes = 512 * 1024;
/** Before each piece, for what its reader has left of the one before. */
const roomBytes = 64 * 1024;
const placeBytes = roomBytes + pieceBytes;

/** Before the places, the shared memory has how many pieces the reader is done with. */
const headBytes = 8;

export interface ReadOrder {
  fd: number;
  /** Where in the file to start. */
  from: number;
  shared: SharedArrayBuffer;
  /** Where in the shared memory the pieces go, in turns. */
  places: number[];
  pieceBytes: number;
}

export interface ReadPiece {
  bytes: number;
  low: number;
  high: number;
  failure?: string;
}

/**
 * Reads the rest of an open file in a thread of its own, which also works out the checksum of each piece: a quarter
 * of the work of reading an RDB, and the only part that needs nothing of what was read before.
 */
export class ReadAhead {
  private readonly shared = new SharedArrayBuffer(headBytes + places * placeBytes);
  private readonly places = Array.from(
    { length: places },
    (_, index) => headBytes + index * placeBytes + roomBytes,
  );
  private readonly done = new Int32Array(this.shared, 0, 1);
  private readonly thread: Worker;
  private readonly ready: ReadPiece[] = [];
  private wake: (() => void) | undefined;
  private failure: Error | undefined;

  /** The thread gets ready at once. @param from where in the file to start. */
  constructor(fd: number, from: number) {
    const order: ReadOrder = { fd, from, shared: this.shared, places: this.places, pieceBytes };
    this.thread = new Worker(new URL('./rdb-read-thread.js', import.meta.url), { workerData: order });
    this.thread.on('message', (piece: ReadPiece) => {
      this.ready.push(piece);
      this.wake?.();
    });
    this.thread.on('error', (error) => {
      this.failure = error;
      this.wake?.();
    });
  }

  /** Each piece stays as it is until the one after the next is asked for. */
  async *pieces(): AsyncGenerator<Buffer> {
    for (let count = 0; ; count++) {
      const piece = await this.next();
      if (piece.failure !== undefined) throw new Error(piece.failure);
      if (piece.bytes === 0) return;
      if (count % givenBack === 1) {
        Atomics.store(this.done, 0, count - 1);
        Atomics.notify(this.done, 0);
      }
      const chunk = Buffer.from(this.shared, this.places[count % places], piece.bytes);
      tellOfPiece(chunk, { low: piece.low, high: piece.high, room: roomBytes });
      yield chunk;
    }
  }

  /** Ends the thread: the file may be closed once this has settled. */
  async stop(): Promise<void> {
    await this.thread.terminate();
  }

  private async next(): Promise<ReadPiece> {
    for (;;) {
      const piece = this.ready.shift();
      if (piece !== undefined) return piece;
      if (this.failure !== undefined) throw this.failure;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
