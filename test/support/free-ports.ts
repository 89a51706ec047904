import { createServer, type Server } from 'node:net';

/** The first of `count` consecutive ports that are free on loopback at this moment. Below the ephemeral range. */
export async function freePortRun(count: number): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const first = 11_000 + Math.floor(Math.random() * (20_000 - count));
    const held: Server[] = [];
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(ports.map((port) => hold(port, held)));
    await Promise.all(held.map((server) => new Promise((done) => server.close(done))));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no ${count} consecutive ports are free`);
}

function hold(port: number, held: Server[]): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      held.push(server);
      resolve(true);
    });
  });
}
