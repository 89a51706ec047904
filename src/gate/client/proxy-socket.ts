import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { readProxyHeader } from './proxy-header.ts';

const headerMs = 5000;

/** Reads the PROXY header, then hands the socket on, paused, with what follows; without a header it is closed. */
export function readHeader(socket: Socket, onHeader: (address: string | null) => void): void {
  let bytes = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), headerMs);
  const giveUp = () => clearTimeout(timer);
  const onData = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const header = readProxyHeader(bytes);
    if (header === null) return;
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('close', giveUp);
    socket.off('end', onEnd);
    if (header === undefined) {
      socket.destroy();
      return;
    }
    const { client } = header;
    socket.pause();
    // What came with it is the beginning of what follows, which may be TLS.
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
    onHeader(client === null ? null : `${client.address}:${client.port}`);
  };
  socket.on('error', () => socket.destroy());
  socket.on('close', giveUp);
  const onEnd = () => socket.destroy();
  socket.on('end', onEnd);
  socket.on('data', onData);
}
