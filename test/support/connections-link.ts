import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ConnectionView } from '../../src/gate/upstream/connection-view.ts';

const request = 'GET /connections HTTP/1.1\r\nHost: gate\r\n\r\n';
const end = '\r\n0\r\n\r\n';
const withinMs = 60_000;

/**
 * Asks a gate what it takes its connections for, on one connection that stays open, with as little of HTTP as that needs: a test
 * that asks after each of a million steps would spend most of its time on a client that can do more.
 */
export class ConnectionsLink {
  readonly #path: string;
  #socket: Socket | undefined;

  constructor(controlSocket: string) {
    this.#path = controlSocket;
  }

  async connections(): Promise<ConnectionView[]> {
    const text = await this.#ask(this.#socket?.writable === true);
    const [head = '', ...chunks] = text.split(/\r\n\r\n(.*)/s);
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`GET /connections: ${text.slice(0, 200)}`);
    // Sizes and pieces take turns; what is JSON has no line ends in it.
    const lines = (chunks[0] ?? '').split('\r\n');
    return JSON.parse(lines.filter((_line, index) => index % 2 === 1).join('')) as ConnectionView[];
  }

  close(): void {
    this.#socket?.destroy();
  }

  /** @param again on the connection of before: a gate closes one that was idle, perhaps just then */
  async #ask(again: boolean): Promise<string> {
    if (!again) {
      this.#socket = connect(this.#path)
        .setEncoding('utf8')
        .on('error', () => {});
      await once(this.#socket, 'connect');
    }
    const text = await this.#exchange(this.#socket as Socket);
    if (text !== null) return text;
    if (!again) throw new Error('GET /connections: the gate closed the connection');
    return this.#ask(false);
  }

  /** Null when the connection is closed before the answer is whole. */
  #exchange(socket: Socket): Promise<string | null> {
    return new Promise((resolve, reject) => {
      let text = '';
      const onData = (chunk: string) => {
        text += chunk;
        if (text.endsWith(end)) finish(() => resolve(text));
      };
      const onClose = () => finish(() => resolve(null));
      const timer = setTimeout(
        () => finish(() => reject(new Error(`GET /connections: no answer within ${withinMs} ms`))),
        withinMs,
      );
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        socket.off('data', onData).off('close', onClose);
        settle();
      };
      socket.on('data', onData).on('close', onClose);
      socket.write(request);
    });
  }
}
