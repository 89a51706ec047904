/**
 * How other commands talk to the process that runs a migration: a Unix socket in its state directory, which only its
 * owner may use. One line of JSON asks, one answers. The socket is also the lock: who can't listen there finds out that
 * another one does.
 */
import { randomBytes } from 'node:crypto';
import { chmod, link, rename, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type ErrorJson, errorFromJson, errorToJson } from '../base/error-wire.ts';
import { errorCode, errorText } from '../base/errors.ts';
import { MigrationNotRunning, MigrationRuns } from './errors.ts';

export const controlVerbs = ['ping', 'pause', 'resume', 'cut-over', 'undo', 'finish', 'abort'] as const;
export type ControlVerb = (typeof controlVerbs)[number];

export interface ControlRequest {
  verb: ControlVerb;
  /** Of `cut-over` and `undo`: longest wait of writers, in ms. */
  withinMs?: number;
  /** Of `cut-over`: control sockets of gates before the old servers. */
  gates?: string[];
  /** Of `resume`: control sockets of gates that are gone for good. */
  withoutGates?: string[];
  /** Of `finish`: let clients write at the sources again. */
  release?: boolean;
}

type Answer = { result: unknown } | { error: ErrorJson };

const longestLine = 64 * 1024;

export class ControlServer {
  readonly #server: Server;
  readonly #file: string;
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Set<Promise<void>>();

  private constructor(server: Server, file: string) {
    this.#server = server;
    this.#file = file;
  }

  /** @throws MIGRATION_RUNS when a process listens there already, or begins to in the same moment */
  static async listen(
    file: string,
    answer: (request: ControlRequest) => Promise<unknown>,
  ): Promise<ControlServer> {
    await removeDead(file);
    // It is put into its place when it listens and is ours alone. What it was called first is removed by Node when it is closed.
    const own = besides(file);
    const server = createServer();
    const made = new ControlServer(server, file);
    server.on('connection', (socket) => made.#serve(socket, answer));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(own, resolve);
    });
    try {
      await chmod(own, 0o600);
      await link(own, file);
      await rm(own);
    } catch (error) {
      server.close();
      throw errorCode(error) === 'EEXIST' ? runsAlready() : error;
    }
    return made;
  }

  /** When what was asked until now is answered. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.allSettled(this.#answers);
    for (const socket of this.#sockets) socket.end();
    await closed;
    await rm(this.#file, { force: true });
  }

  #serve(socket: Socket, answer: (request: ControlRequest) => Promise<unknown>): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const answering = readLine(socket).then(
      async (line) => {
        const reply = await answered(line, answer);
        socket.end(`${JSON.stringify(reply)}\n`);
      },
      () => void socket.destroy(),
    );
    this.#answers.add(answering);
    void answering.finally(() => this.#answers.delete(answering));
  }
}

/**
 * Away with the socket of a process that has died. What was found dead is moved aside and looked at again: in between another
 * process may have put its own there, which is put back.
 */
async function removeDead(file: string): Promise<void> {
  const dead = await inodeOf(file);
  if (dead === undefined) return;
  if (await isAnswered(file)) throw runsAlready();
  const aside = besides(file);
  try {
    await rename(file, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const isLive = (await inodeOf(aside)) !== dead;
  if (isLive) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
  if (isLive) throw runsAlready();
}

/** No longer than the socket's own name is: there is a limit. */
function besides(file: string): string {
  return path.join(path.dirname(file), `c.${randomBytes(4).toString('hex')}`);
}

async function inodeOf(file: string): Promise<bigint | undefined> {
  return (await stat(file, { bigint: true }).catch(() => undefined))?.ino;
}

function runsAlready(): Error {
  return MigrationRuns('a process runs this migration already', {
    hint: 'holdfast migrate status shows how far it is.',
  });
}

async function answered(
  line: string,
  answer: (request: ControlRequest) => Promise<unknown>,
): Promise<Answer> {
  try {
    const request = JSON.parse(line) as ControlRequest;
    return { result: (await answer(request)) ?? null };
  } catch (error) {
    return { error: errorToJson(error) };
  }
}

/** @throws what the other side threw; MIGRATION_NOT_RUNNING when there is none */
export async function askControl(file: string, request: ControlRequest): Promise<unknown> {
  let line: string;
  try {
    line = await exchange(file, request);
  } catch (cause) {
    throw MigrationNotRunning(`no process runs this migration: ${errorText(cause)}`, {
      hint: 'holdfast migrate resume goes on with it.',
      cause,
    });
  }
  const answer = JSON.parse(line) as Answer;
  if ('error' in answer) throw errorFromJson(answer.error);
  return answer.result;
}

/** Whether a process runs it. */
export async function isAnswered(file: string): Promise<boolean> {
  return await exchange(file, { verb: 'ping' }).then(
    () => true,
    () => false,
  );
}

async function exchange(file: string, request: ControlRequest): Promise<string> {
  const socket = connect({ path: file });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
    socket.write(`${JSON.stringify(request)}\n`);
    return await readLine(socket);
  } finally {
    socket.destroy();
  }
}

async function readLine(socket: Socket): Promise<string> {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    if (bytes > longestLine) socket.destroy();
  });
  for await (const line of createInterface({ input: socket })) return line;
  throw new Error('the connection ended');
}
