/**
 * Gives one RDB file to a redis-server the way a primary gives its data to a replica: the server is told REPLICAOF this
 * address, takes the file as its whole data, and is made a primary again. Nothing of it is loaded here, so that it
 * costs neither memory nor time beside the transfer.
 *
 * What a replica sends (syncWithMaster in Redis's replication.c): PING, AUTH, REPLCONF with its port, address and
 * capabilities, then PSYNC. The answer `+FULLRESYNC <id> <offset>` is followed by `$<bytes>`, the file, and then the
 * stream of commands: here only a PING now and then, which says that we still live. The id is a new one for each server,
 * so that nobody mistakes this for a history that it knows.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { createServer as createTlsServer } from 'node:tls';
import { errorText } from '../base/errors.ts';
import { readArguments } from '../resp/arguments.ts';
import {
  createRequestFrame,
  frameRequest,
  INCOMPLETE,
  MALFORMED,
  unauthenticatedLimits,
} from '../resp/request.ts';
import type { Credentials, TlsTexts } from './endpoint.ts';
import { SnapshotNotServed } from './errors.ts';

export interface SnapshotServerOptions {
  /** A verified RDB. */
  file: string;
  /** What the one who takes it logs in with: without, anyone who finds the port could read all data. */
  credentials: Credentials;
  tls: TlsTexts | undefined;
  /** Local address to listen on. */
  address: string;
}

const pingEveryMs = 2000;
const ping = '*1\r\n$4\r\nPING\r\n';
const pieceBytes = 256 * 1024;

export class SnapshotServer {
  /** Bytes of the file given so far, in the transfer that is under way or was the last. */
  sentBytes = 0;
  readonly bytes: number;
  /** What a server that has taken the file calls its history. */
  readonly replicationId = randomBytes(20).toString('hex');
  readonly #options: SnapshotServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: SnapshotServerOptions) {
    this.#options = options;
    this.bytes = statSync(options.file).size;
    const take = (socket: Socket) => this.#welcome(socket);
    this.#server = options.tls === undefined ? createServer(take) : createTlsServer(options.tls, take);
    // A handshake that fails is the other side's affair; it tries again or gives up.
    this.#server.on('tlsClientError', () => {});
  }

  /** Listens on a port that the system chooses. @throws SNAPSHOT_NOT_SERVED */
  static async start(options: SnapshotServerOptions): Promise<SnapshotServer> {
    const made = new SnapshotServer(options);
    await new Promise<void>((resolve, reject) => {
      made.#server.once('error', (cause) =>
        reject(
          SnapshotNotServed(
            `cannot listen on ${options.address} to hand over the data: ${errorText(cause)}`,
            {
              hint: 'The address is this host’s in the spec; the primary fetches the data from there.',
              cause,
            },
          ),
        ),
      );
      made.#server.listen(0, options.address, resolve);
    });
    return made;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay();
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const frame = createRequestFrame();
    let known = false;
    let taking = false;
    let waiting: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      // Once it has the file, all it says is how far it has come.
      if (taking) return;
      waiting = Buffer.concat([waiting, chunk]);
      for (;;) {
        const end = frameRequest(waiting, 0, waiting.length, frame, unauthenticatedLimits);
        if (end === INCOMPLETE) return;
        if (end === MALFORMED) return void socket.destroy();
        const args = frame.count > 0 ? readArguments(waiting, 0, end) : [];
        waiting = waiting.subarray(end);
        const [name = '', ...rest] = args.map((arg, index) =>
          index === 0 ? arg.toString().toUpperCase() : arg.toString(),
        );
        if (name === 'AUTH') known = this.#knows(rest);
        if (name === 'AUTH')
          socket.write(known ? '+OK\r\n' : '-WRONGPASS invalid username-password pair\r\n');
        else if (name === 'PING') socket.write(known ? '+PONG\r\n' : '-NOAUTH Authentication required.\r\n');
        else if (!known) socket.write('-NOAUTH Authentication required.\r\n');
        else if (name === 'REPLCONF') socket.write('+OK\r\n');
        else if (name === 'PSYNC' || name === 'SYNC') {
          taking = true;
          void this.#give(socket, name === 'PSYNC');
          return;
        } else if (name !== '') socket.write(`-ERR this server only hands over a snapshot\r\n`);
      }
    });
  }

  #knows(args: string[]): boolean {
    const { username, password } = this.#options.credentials;
    const given = args.length === 1 ? ['default', args[0] as string] : args;
    const sum = (text: string) => createHash('sha256').update(text).digest();
    const wanted = `${username ?? 'default'} ${password}`;
    return given.length === 2 && timingSafeEqual(sum(`${given[0]} ${given[1]}`), sum(wanted));
  }

  async #give(socket: Socket, partial: boolean): Promise<void> {
    this.sentBytes = 0;
    if (partial) socket.write(`+FULLRESYNC ${this.replicationId} 1\r\n`);
    socket.write(`$${this.bytes}\r\n`);
    const file = createReadStream(this.#options.file, { highWaterMark: pieceBytes });
    file.on('data', (piece) => {
      this.sentBytes += piece.length;
    });
    try {
      await pipeline(file, socket, { end: false });
    } catch {
      // The one who takes it went away, or the file can't be read: a transfer that stops short is never loaded.
      socket.destroy();
      return;
    }
    // A file that became shorter: what came next would be taken for its rest.
    if (this.sentBytes !== this.bytes) return void socket.destroy();
    const timer = setInterval(() => socket.write(ping), pingEveryMs);
    socket.once('close', () => clearInterval(timer));
  }
}
