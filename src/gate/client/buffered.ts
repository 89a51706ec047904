import type { Client } from './gate-client.ts';

/**
 * The bytes of requests that wait in the gate, of all clients together. When they are too many, the client that
 * brought the last ones is closed, as a server with `maxmemory-clients` does.
 */
export class Buffered {
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Takes in how much the client has waiting now. */
  update(client: Client): void {
    const bytes = client.closed ? 0 : client.requests.size;
    const more = bytes - client.countedBytes;
    client.countedBytes = bytes;
    this.#bytes += more;
    if (this.#bytes <= this.#limitBytes || more <= 0) return;
    client.close('waiting');
  }
}
