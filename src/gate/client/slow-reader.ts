import type { Client } from './client.ts';
import { lookMs } from './flow.ts';

/** Looks at a client that does not read, again and again until it has read everything: flow.ts says what follows. */
export class SlowReader {
  readonly #client: Client;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  watch(): void {
    this.#timer ??= setInterval(() => this.#look(), lookMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const client = this.#client;
    const { flow, output, requests, router } = client;
    const verdict = flow.look(output.unread, output.pending, requests.size > 0, router.buffered.hasRoom);
    if (verdict === 'close') client.close('slow-reader');
    else if (verdict === 'go-on') {
      client.resume();
      client.pump();
    }
  }
}
