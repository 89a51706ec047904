import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Bridge {
  port: number;
  close(): Promise<void>;
}

/** A TCP port of this machine that leads to a Unix socket, for a browser, which opens no such sockets. */
export async function openBridge(socket: string): Promise<Bridge> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const inside = connect(socket);
    for (const side of [client, inside]) {
      open.add(side);
      side.on('error', () => side.destroy());
      side.on('close', () => {
        open.delete(side);
        client.destroy();
        inside.destroy();
      });
    }
    client.pipe(inside);
    inside.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const each of open) each.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
