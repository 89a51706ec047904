import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Random } from './random.ts';

/** A TCP relay that cuts its connections when told to, in the middle of whatever passes just then. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  readonly #random: Random;
  /** Of 1000 chunks, how many are the last of their connection. */
  cutsIn1000 = 0;
  cuts = 0;
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });

  private constructor(server: Server, random: Random) {
    this.#server = server;
    this.#random = random;
  }

  /** It passed nothing on for half a second or more, because its process had no processor: the machine is busy. */
  get stoodStill(): boolean {
    return this.#delay.max > 500e6;
  }

  static async start(target: number, random: Random): Promise<CuttingProxy> {
    const server = createServer((near) => proxy.#relay(near, connect(target, '127.0.0.1')));
    const proxy = new CuttingProxy(server, random);
    proxy.#delay.enable();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  stop(): void {
    this.#delay.disable();
    this.#server.close();
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #relay(near: Socket, far: Socket): void {
    const pair: [Socket, Socket] = [near, far];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', end).on('close', end);
      from.on('data', (chunk) => {
        if (this.#random.below(1000) >= this.cutsIn1000) {
          to.write(chunk);
          return;
        }
        this.cuts++;
        // A part still arrives, so that the other side holds half a request or half a reply.
        to.end(chunk.subarray(0, this.#random.below(chunk.length + 1)));
        from.destroy();
      });
    }
  }
}
