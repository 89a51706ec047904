import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A way to a server whose two ends are in the test's hands; when one ends, so does the other.
 * @param portOf asked for each connection
 * @param wire passes on what comes, or does not
 * @returns its port
 */
export async function relay(
  portOf: () => number,
  wire: (near: Socket, far: Socket) => void,
): Promise<number> {
  const server = createServer((near) => {
    const far = connect(portOf(), '127.0.0.1');
    wire(near, far);
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
