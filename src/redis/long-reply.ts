/**
 * Replies that are too long to be held: a connection of its own, on which one command waits for the other, and which reads no
 * more than somebody takes. So whoever passes a value on needs memory for a piece of it only, and a slow receiver makes the
 * server wait, not us.
 */
import { ReplyError } from '../resp/read.ts';
import { writeRequest } from '../resp/write.ts';
import type { ConnectionOptions } from './connection.ts';
import { describeEndpoint } from './endpoint.ts';
import { RedisRefused, RedisUnreachable } from './errors.ts';
import { SocketReader } from './socket-reader.ts';

/** A bulk string that comes. */
export interface LongBulk {
  bytes: number;
  /** Can be read once. A piece is valid until the next is asked for. @throws REDIS_UNREACHABLE */
  pieces: AsyncGenerator<Buffer>;
}

type Args = readonly [string, ...(string | Buffer)[]];

export class LongReplies {
  readonly #reader: SocketReader;
  readonly #where: string;

  private constructor(options: ConnectionOptions, silenceMs: number) {
    this.#where = describeEndpoint(options.endpoint);
    this.#reader = new SocketReader(options, silenceMs, (reason) =>
      RedisUnreachable(`a long reply of ${this.#where} broke off: ${reason}`),
    );
  }

  /** @param silenceMs longest silence of the server. @throws REDIS_UNREACHABLE; REDIS_REFUSED when it does not let us in */
  static async open(options: ConnectionOptions, silenceMs: number): Promise<LongReplies> {
    const made = new LongReplies(options, silenceMs);
    if (options.credentials === undefined) return made;
    const { username, password } = options.credentials;
    try {
      const [answer] = await made.lines(['AUTH', ...(username === '' ? [] : [username]), password]);
      if (answer instanceof ReplyError)
        throw RedisRefused(`${made.#where} answered AUTH with: ${answer.text}`, { cause: answer });
      return made;
    } catch (error) {
      made.close();
      throw error;
    }
  }

  /** What is answered in one line to each, without the mark that it begins with; all go out in one write. @throws REDIS_UNREACHABLE */
  async lines(...requests: Args[]): Promise<(string | ReplyError)[]> {
    this.#reader.socket.write(Buffer.concat(requests.map((args) => writeRequest(args))));
    const answers: (string | ReplyError)[] = [];
    while (answers.length < requests.length) {
      const line = await this.#reader.line();
      answers.push(line[0] === '-' ? new ReplyError(line.slice(1)) : line.slice(1));
    }
    return answers;
  }

  /** A bulk string; null for none. Nothing else can be asked before all of it was read. @throws REDIS_UNREACHABLE */
  async bulk(...args: Args): Promise<LongBulk | ReplyError | null> {
    this.#reader.socket.write(writeRequest(args));
    const line = await this.#reader.line();
    if (line[0] === '-') return new ReplyError(line.slice(1));
    const bytes = Number(/^\$(-?\d{1,15})$/.exec(line)?.[1] ?? Number.NaN);
    if (bytes === -1) return null;
    if (!(bytes >= 0))
      throw RedisUnreachable(`${this.#where} answered ${args[0]} with something else than a string`);
    return { bytes, pieces: this.#pieces(bytes) };
  }

  close(): void {
    this.#reader.socket.destroy();
  }

  async *#pieces(bytes: number): AsyncGenerator<Buffer> {
    // The line's end that follows is not data.
    let left = bytes + 2;
    for await (const arrived of this.#reader.arrivals()) {
      const here = arrived.subarray(0, Math.max(0, left - 2));
      left -= arrived.length;
      if (here.length > 0) yield here;
      if (left <= 0) return;
    }
  }
}
