import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { abandonSocket, openSocket } from './open-socket.ts';

const sentBytes = 16 * 2 ** 20;

/** How much a server gets of what lay in the kernel, unread by it, when the connection was ended in this way. */
async function arrives(end: (socket: Socket) => void): Promise<number> {
  let bytes = 0;
  let accepted: Socket | undefined;
  const server = createServer((socket) => {
    accepted = socket.pause();
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        bytes += chunk.length;
      });
    socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const socket = openSocket({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  await expect.poll(() => accepted !== undefined).toBe(true);
  socket.write(Buffer.alloc(sentBytes));
  // The kernel takes what it has room for at once.
  await new Promise((resolve) => setImmediate(resolve));
  end(socket);
  const closed = new Promise((resolve) => accepted?.once('close', resolve));
  accepted?.resume();
  await closed;
  await new Promise((resolve) => server.close(resolve));
  expect(socket.destroyed).toBe(true);
  return bytes;
}

test('what was sent on a connection that is abandoned, and has not arrived, does not arrive', async () => {
  const closed = await arrives((socket) => socket.destroy());
  const abandoned = await arrives(abandonSocket);
  expect(abandoned).toBeLessThan(closed / 2);
});

test('one that is not connected yet, or is over, can be abandoned too', async () => {
  const socket = openSocket({ host: '127.0.0.1', port: 1 });
  socket.on('error', () => {});
  abandonSocket(socket);
  abandonSocket(socket);
  expect(socket.destroyed).toBe(true);
});
