import type { Client } from './client.ts';
import { lookMs } from './flow.ts';
import { nextIsPlain } from './send-next.ts';

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
    const { apart, flow, output, router } = client;
    const verdict = flow.look({
      unread: output.unread,
      pending: output.pending,
      waits: client.hasWork,
      hasRoom: router.buffered.hasRoom,
      apart: apart.goesOn ? (apart.full ? 'full' : 'yes') : nextIsPlain(client) ? 'can' : 'no',
    });
    if (verdict === 'close') client.close('slow-reader');
    else if (verdict !== 'wait') {
      if (verdict === 'apart') apart.want();
      client.resume();
      client.pump();
    }
  }
}
