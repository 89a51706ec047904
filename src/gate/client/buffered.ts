import type { Client } from './gate-client.ts';

/**
 * The bytes of requests that wait in the gate, and of replies that wait to be read, of all clients together. When they
 * are too many, the client that brought the last ones is closed, as a server with `maxmemory-clients` does.
 */
export class Buffered {
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** There is memory for clients that let their replies pile up. */
  get hasRoom(): boolean {
    return this.#bytes < this.#limitBytes / 2;
  }

  /** Takes in how much the client has waiting now. */
  update(client: Client): void {
    const bytes = client.closed ? 0 : client.heldBytes;
    const more = bytes - client.countedBytes;
    client.countedBytes = bytes;
    this.#bytes += more;
    if (this.#bytes <= this.#limitBytes || more <= 0) return;
    client.close(client.output.unread > client.requests.size ? 'slow-reader' : 'waiting');
  }
}
