/** Asks an agent's API as a browser or a program would: over TCP, with a token, a cookie, or neither. */
import { get } from 'node:http';
import { waitFor } from '../../src/base/retry.ts';

export interface ApiAnswer<T> {
  status: number;
  headers: Headers;
  body: T;
}

export interface ApiOptions {
  token?: string;
  headers?: Record<string, string>;
}

export class ApiClient {
  readonly #base: string;

  constructor(port: number) {
    this.#base = `http://127.0.0.1:${port}`;
  }

  get<T>(path: string, options: ApiOptions = {}): Promise<ApiAnswer<T>> {
    return this.#ask('GET', path, undefined, options);
  }

  post<T>(path: string, body: unknown, options: ApiOptions = {}): Promise<ApiAnswer<T>> {
    return this.#ask('POST', path, body, options);
  }

  /** Reads a stream of server-sent events until `end` is called. */
  stream(path: string, headers: Record<string, string> = {}): SeenStream {
    return new SeenStream(`${this.#base}${path}`, headers);
  }

  async #ask<T>(method: string, path: string, body: unknown, options: ApiOptions): Promise<ApiAnswer<T>> {
    const { token, headers = {} } = options;
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as T };
  }
}

export interface SeenMessage {
  event: string;
  id: string | undefined;
  data: unknown;
  /** performance.now() when it came. */
  atMs: number;
}

export class SeenStream {
  readonly messages: SeenMessage[] = [];
  status: number | undefined;
  closed = false;
  readonly #call;

  constructor(url: string, headers: Record<string, string>) {
    this.#call = get(url, { headers, agent: false }, (response) => {
      this.status = response.statusCode;
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#note(block);
      });
      response.on('close', () => {
        this.closed = true;
      });
      response.on('error', () => {});
    });
    this.#call.on('error', () => {
      this.closed = true;
    });
  }

  /** The first message that passes the test. */
  waitFor(what: string, test: (message: SeenMessage) => boolean, withinMs = 60_000): Promise<SeenMessage> {
    return waitFor(async () => this.messages.find(test), { what, withinMs, everyMs: 5 });
  }

  end(): void {
    this.#call.destroy();
  }

  #note(block: string): void {
    const field = (name: string) =>
      block
        .split('\n')
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2);
    const data = field('data');
    if (data === undefined) return;
    const event = field('event') ?? 'message';
    this.messages.push({ event, id: field('id'), data: JSON.parse(data), atMs: performance.now() });
  }
}
