import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { SharedReadSocket } from './shared-reads.ts';

/**
 * Replies go to the handle of a client's socket, past Node's stream round it. The kernel takes nearly every reply at once,
 * and then the stream has nothing to do but to cost: a request object, its state and a callback for each write
 * (`npm run bench:client-writes` says how much). What the kernel does not take waits in libuv's queue, in order; so does an
 * end of the connection that comes behind it.
 *
 * The rules are those of `writeGeneric` in Node's stream_base_commons.js: a write returns an error number or 0, and says in
 * a shared array whether it goes on; only then is its request object in use, until `oncomplete`, and has to keep the memory
 * that is written. Should a version of Node not have these, replies go through the stream.
 */
interface WriteRequest {
  oncomplete?: (status: number) => void;
  /** Nobody else keeps memory that is still read from. */
  bytes?: Buffer;
}

interface Binding {
  WriteWrap: new () => WriteRequest;
  streamBaseState: Int32Array;
  kLastWriteWasAsync: number;
}

interface Handle {
  writeLatin1String(request: WriteRequest, text: string): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
}

const binding = findBinding();

function findBinding(): Binding | null {
  try {
    const { binding: find } = process as unknown as { binding(name: string): Partial<Binding> };
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = find('stream_wrap');
    const known =
      typeof WriteWrap === 'function' &&
      streamBaseState instanceof Int32Array &&
      typeof kLastWriteWasAsync === 'number';
    return known ? { WriteWrap, streamBaseState, kLastWriteWasAsync } : null;
  } catch {
    // Node says so where it no longer gives it out, or policy forbids it.
    return null;
  }
}

/** Writes to one client. */
export class HandleWriter {
  readonly #binding: Binding;
  readonly #socket: Socket;
  readonly #handle: Handle;
  readonly #onWritten: () => void;
  /** Used again until a write needs it for longer. */
  #request: WriteRequest;
  #unread = 0;

  private constructor(binding: Binding, socket: Socket, handle: Handle, onWritten: () => void) {
    this.#binding = binding;
    this.#socket = socket;
    this.#handle = handle;
    this.#onWritten = onWritten;
    this.#request = new binding.WriteWrap();
  }

  /**
   * Null where replies have to go through the stream: TLS, or a Node without what this needs.
   * @param onWritten the kernel has everything, and had not before
   */
  static of(socket: Socket, onWritten: () => void): HandleWriter | null {
    const { _handle: handle } = socket as unknown as { _handle?: Partial<Handle> | null };
    if (binding === null || !(socket instanceof SharedReadSocket)) return null;
    if (typeof handle?.writeLatin1String !== 'function' || typeof handle.writeBuffer !== 'function')
      return null;
    return new HandleWriter(binding, socket, handle as Handle, onWritten);
  }

  /** Bytes of writes that the kernel has not taken whole. */
  get unread(): number {
    return this.#unread;
  }

  writeText(latin1: string): void {
    this.#wrote(this.#handle.writeLatin1String(this.#request, latin1), latin1.length);
  }

  /** The memory must not be changed while `unread` is more than 0. */
  writeBytes(bytes: Buffer): void {
    const request = this.#request;
    this.#wrote(this.#handle.writeBuffer(request, bytes), bytes.length);
    if (request !== this.#request) request.bytes = bytes;
  }

  #wrote(error: number, bytes: number): void {
    const { streamBaseState, kLastWriteWasAsync, WriteWrap } = this.#binding;
    // The client is gone, or the socket closed.
    if (error !== 0) this.#socket.destroy();
    else if (streamBaseState[kLastWriteWasAsync] !== 0) {
      this.#unread += bytes;
      this.#request.oncomplete = (status) => this.#completed(status, bytes);
      this.#request = new WriteWrap();
    }
  }

  #completed(status: number, bytes: number): void {
    this.#unread -= bytes;
    if (this.#socket.destroyed) return;
    if (status !== 0) this.#socket.destroy();
    else if (this.#unread === 0) this.#onWritten();
  }
}
