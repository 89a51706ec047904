import { Buffer } from 'node:buffer';
import { Socket } from 'node:net';

/**
 * One buffer that all clients of a process are read into, instead of new memory for every read: at 50 clients with
 * one request each, that is a quarter of the gate's processor time. What is read is looked at before the next read,
 * and whoever keeps some of it copies it.
 */
const shared = Buffer.allocUnsafeSlow(64 * 1024);

type Handle = object & { useUserBuffer?: unknown };

/** The first `bytes` of `buf` are there, until it returns. */
type Receive = (buf: Buffer, bytes: number) => void;

/** A client's socket that reads into the shared buffer and calls back with what came. */
export class SharedReadSocket extends Socket {
  #receive: Receive = () => {};

  constructor(handle: Handle) {
    const callback = (bytes: number, buf: Uint8Array) => {
      this.#receive(buf as Buffer, bytes);
      return true;
    };
    super({ handle, allowHalfOpen: true, onread: { buffer: shared, callback } } as object);
  }

  onReceived(receive: Receive): void {
    this.#receive = receive;
  }
}

/**
 * Takes the connection over from a socket that was accepted paused (`pauseOnConnect`), because Node has no way to
 * tell a server to read into a buffer. Should Node no longer let a socket be made of another's handle, the accepted
 * one is returned, which reads as sockets do.
 */
export function withSharedReads(accepted: Socket): Socket {
  const bare = accepted as unknown as { _handle?: Handle | null };
  const handle = bare._handle;
  if (typeof handle?.useUserBuffer !== 'function') return accepted.resume();
  bare._handle = null;
  return new SharedReadSocket(handle);
}
