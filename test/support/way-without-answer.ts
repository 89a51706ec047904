import type { Server } from './redis-processes.ts';
import { relay } from './relay.ts';

/** A way to the server that ends each connection on which a request with one of `words` was answered, and eats the answer; so many times at most. */
export async function wayWithoutAnswer(
  server: Server,
  words: string[],
  times = Number.POSITIVE_INFINITY,
): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const port = await relay(
    () => server.port,
    (near, far) => {
      let eats = false;
      near.on('data', (chunk) => {
        const found = words.filter((word) => chunk.includes(word));
        seen.push(...found);
        eats ||= found.length > 0 && seen.length <= times;
        far.write(chunk);
      });
      far.on('data', (chunk) => (eats ? near.destroy() : near.write(chunk)));
    },
  );
  return { port, seen };
}
