import { refusalKind } from '../../redis/errors.ts';
import { Link } from '../../redis/link.ts';
import type { Wire } from './wire.ts';

export interface RedisPlan {
  protocol: 'redis';
  host: string;
  port: number;
  valueBytes: number;
  keys: number;
}

const keyDigits = 9;

/** GET and SET of keys chosen at random. */
export class RedisWire implements Wire {
  readonly #link: Link;
  readonly #plan: RedisPlan;
  readonly #value: Buffer;

  constructor(plan: RedisPlan, onClosed: () => void) {
    const { host, port, valueBytes } = plan;
    this.#plan = plan;
    this.#value = Buffer.alloc(valueBytes, 'v');
    this.#link = new Link({ endpoint: { host, port }, timeoutMs: 0, onClosed });
  }

  get ready(): Promise<unknown> {
    return this.#link.ready;
  }

  get endCode(): string | null {
    return this.#link.endCode ?? null;
  }

  close(): void {
    this.#link.close();
  }

  request(isRead: boolean): Promise<string | null> {
    const key = `bench:${String(Math.floor(Math.random() * this.#plan.keys)).padStart(keyDigits, '0')}`;
    const reply = this.#link.call(isRead ? ['GET', key] : ['SET', key, this.#value]);
    return new Promise((resolve) => {
      reply.then(
        () => resolve(null),
        (error: unknown) => {
          const word = refusalKind(error);
          if (word !== undefined) resolve(word);
        },
      );
    });
  }
}
