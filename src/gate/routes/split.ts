/**
 * A request whose keys belong to several routes, each of which stands for itself: every route gets its part, one after the
 * other, and the answers are put together. It is not atomic: others may see one part before the next. When a part fails, those
 * before it are done, and the answer says so.
 */
import { Buffer } from 'node:buffer';
import { MINUS } from '../../resp/bytes.ts';
import { readReply } from '../../resp/read.ts';
import { writeBulk, writeError, writeInteger, writeRequest } from '../../resp/write.ts';
import type { Client } from '../client/client.ts';
import { refusalFor } from '../client/refusal.ts';
import { fateOf, uncertain } from '../client/replay.ts';
import type { Command } from '../commands/command-table.ts';
import type { ReplyHandler, RequestLoss } from '../upstream/run.ts';
import { type Part, separable } from './way.ts';

/** One that is under way. */
export class Split {
  readonly #command: Command;
  readonly #parts: readonly Part[];
  readonly #requests: readonly Buffer[];
  readonly #answers: Buffer[] = [];
  /** Of this part: servers that were lost while they had it. */
  #losses = 0;
  #error: Buffer | null = null;
  #keptBytes: number;

  /** @param shorten what a route calls a key */
  constructor(
    command: Command,
    args: readonly Buffer[],
    parts: readonly Part[],
    shorten: (key: Buffer, lane: number) => Buffer,
  ) {
    this.#command = command;
    this.#parts = parts;
    this.#requests = partRequests(args, parts, shorten);
    this.#keptBytes = this.#requests.reduce((sum, { length }) => sum + length, 0);
  }

  /** Bytes of its parts, and of their answers until now. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Where the next part goes; undefined: it is answered. */
  get lane(): number | undefined {
    return this.#error === null ? this.#parts[this.#answers.length]?.lane : undefined;
  }

  /** Sends the next part where its client is: false when it must wait. */
  send(client: Client): boolean {
    const request = this.#requests[this.#answers.length] as Buffer;
    const { read } = this.#command;
    const route = client.router.route(client, !read);
    if (route === null) return false;
    route.send(client, request, 0, request.length, 1, !read, this.#handler(client, request));
    return true;
  }

  #handler(client: Client, request: Buffer): ReplyHandler {
    const command = this.#command;
    return {
      onReply: (buf, start, end) => {
        const refusal = buf[start] === MINUS ? refusalFor(command, buf, start, end) : null;
        // It was not executed: the same part again.
        if (refusal !== null && client.router.onRefusal(client, refusal)) return true;
        const answer = Buffer.from(buf.subarray(start, end));
        this.#losses = 0;
        if (answer[0] === MINUS) this.fail(answer);
        else {
          this.#answers.push(answer);
          this.#keptBytes += answer.length;
        }
        return true;
      },
      onLost: (loss: RequestLoss) => {
        const retries = client.router.config.inflightWrites === 'retry-idempotent';
        const fate = fateOf(command, request, { ...loss, waited: false }, retries);
        if (fate === 'sent first') return;
        if (fate !== 'sent again' || this.#losses++ > 0) this.fail(uncertain);
      },
      proves: () => true,
    };
  }

  /** It ends with this error; what was done before is told. */
  fail(error: Buffer): void {
    const isPart = !this.#command.read && this.#answers.length > 0;
    this.#error = isPart ? writeError(`${partly}${error.toString('utf8', 1, error.length - 2)}`) : error;
  }

  /** What answers the whole request. */
  answer(protocol: 2 | 3): Buffer {
    return this.#error ?? combine(this.#command.name, this.#parts, this.#answers, protocol);
  }
}

const partly = 'UNCERTAIN a part of this write was applied, at another route, before this: ';

/** Each part as a request of its own. */
export function partRequests(
  args: readonly Buffer[],
  parts: readonly Part[],
  shorten: (key: Buffer, lane: number) => Buffer,
): Buffer[] {
  const [name = Buffer.alloc(0)] = args;
  const width = separable.get(name.toString('latin1').toLowerCase()) as number;
  return parts.map(({ lane, keys }) =>
    writeRequest([
      name,
      ...keys.flatMap((key) => {
        const at = 1 + key * width;
        return [shorten(args[at] as Buffer, lane), ...args.slice(at + 1, at + width)];
      }),
    ]),
  );
}

/** One answer of several; none of them is an error. */
export function combine(
  name: string,
  parts: readonly Part[],
  answers: readonly Buffer[],
  protocol: 2 | 3,
): Buffer {
  const [first = Buffer.alloc(0)] = answers;
  if (name === 'mset') return first;
  const read = answers.map((answer) => readReply(answer, 0, answer.length, true));
  if (name !== 'mget') return writeInteger(read.reduce<number>((sum, count) => sum + Number(count), 0));
  const values: (Buffer | null)[] = [];
  for (const [index, { keys }] of parts.entries()) {
    const list = read[index];
    for (const [at, key] of keys.entries())
      values[key] = Array.isArray(list) ? (list[at] as Buffer | null) : null;
  }
  return Buffer.concat([
    Buffer.from(`*${values.length}\r\n`),
    ...values.map((value) => writeBulk(value, protocol)),
  ]);
}
