import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from './random.ts';

export interface Network {
  /** From one side to the other. */
  delayMs: number;
  /** Of all connections together, each way. */
  bytesPerSecond: number;
  /** Of 1000 pieces, how many come a while later, as what was lost and sent again. */
  lateIn1000: number;
}

const lateMs = 300;
/** As much is under way before the sender has to wait. */
const windowBytes = 256 * 1024;

/** A TCP relay that is as slow as a network between two sites, and that may break its connections, or swallow everything. */
export class SlowProxy {
  readonly network: Network;
  readonly #server: Server;
  readonly #random: Random;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** By direction: when what was sent until now has left. */
  readonly #freeAtMs = { there: 0, back: 0 };
  #whole: Promise<void> = Promise.resolve();

  private constructor(server: Server, network: Network, random: Random) {
    this.#server = server;
    this.network = network;
    this.#random = random;
  }

  static async start(target: number, network: Network, random: Random): Promise<SlowProxy> {
    const server = createServer({ noDelay: true }, (near) =>
      proxy.#relay(near, connect(target, '127.0.0.1')),
    );
    const proxy = new SlowProxy(server, network, random);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  /** Nothing arrives any more, and nobody is told. @returns what heals it: all that was under way arrives then */
  part(): () => void {
    let heal = () => {};
    this.#whole = new Promise((resolve) => {
      heal = resolve;
    });
    return heal;
  }

  stop(): void {
    this.#server.close();
    this.cut();
  }

  #relay(near: Socket, far: Socket): void {
    const pair = [near.setNoDelay(true), far.setNoDelay(true)] as const;
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    this.#pass(near, far, 'there').then(end, end);
    this.#pass(far, near, 'back').then(end, end);
  }

  async #pass(from: Socket, to: Socket, way: 'there' | 'back'): Promise<void> {
    let before: Promise<void> = Promise.resolve();
    let underWay = 0;
    let wake = () => {};
    const deliver = async (piece: Buffer, dueMs: number, after: Promise<void>) => {
      await until(dueMs);
      await after;
      await this.#whole;
      if (!to.destroyed && !to.write(piece)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
      underWay -= piece.length;
      wake();
    };
    for await (const piece of from as AsyncIterable<Buffer>) {
      const { delayMs, bytesPerSecond, lateIn1000 } = this.network;
      const leftMs =
        Math.max(performance.now(), this.#freeAtMs[way]) + (piece.length / bytesPerSecond) * 1000;
      this.#freeAtMs[way] = leftMs;
      const isLate = this.#random.below(1000) < lateIn1000;
      underWay += piece.length;
      before = deliver(piece, leftMs + delayMs + (isLate ? lateMs : 0), before).catch(() => {});
      while (underWay > windowBytes && !to.destroyed)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    await before;
  }
}

async function until(atMs: number): Promise<void> {
  const leftMs = atMs - performance.now();
  if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
}
