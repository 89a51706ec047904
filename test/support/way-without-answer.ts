import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { Server } from './redis-processes.ts';

/** A way to the server that ends each connection on which a request with one of `words` was answered, and eats the answer; so many times at most. */
export async function wayWithoutAnswer(
  server: Server,
  words: string[],
  times = Number.POSITIVE_INFINITY,
): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const relay = createServer((near) => {
    const far = connect(server.port, '127.0.0.1');
    let eats = false;
    near.on('data', (chunk) => {
      const found = words.filter((word) => chunk.includes(word));
      seen.push(...found);
      eats ||= found.length > 0 && seen.length <= times;
      far.write(chunk);
    });
    far.on('data', (chunk) => (eats ? near.destroy() : near.write(chunk)));
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
  });
  relay.listen(0, '127.0.0.1').unref();
  await once(relay, 'listening');
  return { port: (relay.address() as AddressInfo).port, seen };
}
