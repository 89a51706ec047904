import type { Buffer } from 'node:buffer';
import { writeRequest } from '../../resp/write.ts';
import { besideABuffer } from './kept-bytes.ts';

/** A request is kept as it is looked for, and as it is sent. */
const copies = 2;

/**
 * CLIENT TRACKING of one client, so that it can be put onto another server.
 *
 * - With BCAST, each request adds prefixes: all of them are restored.
 * - REDIRECT names a client by the id that the gate gave it; the server is told the id of that client's own connection,
 *   and told anew when either of the two has another connection.
 * - A new server does not know what the client remembers. So it is told to forget everything, as after FLUSHALL
 *   (`trackingInvalidateKeysOnFlush` in Redis's tracking.c).
 */
export class Tracking {
  /** What turned it on, each by the bytes that the client sent. */
  readonly #requests = new Map<string, Buffer[]>();
  #bytes = 0;
  /** The ids of those whose changed keys are told to this client. */
  readonly sources = new Set<number>();

  #told: number | null = null;
  #broadcasts = false;
  #redirect: number | null = null;

  /** The client that has, or was to have, a connection so that it can be told. */
  get told(): number | null {
    return this.#told;
  }

  tellTo(id: number | null): void {
    this.#told = id;
  }

  get on(): boolean {
    return this.#requests.size > 0;
  }

  /** Memory that is kept to put it onto another server. */
  get bytes(): number {
    return this.#bytes;
  }

  get broadcasts(): boolean {
    return this.#broadcasts;
  }

  /** The client that is told in its place; null when it is told itself. */
  get redirect(): number | null {
    return this.#redirect;
  }

  /** The server accepted CLIENT TRACKING with these arguments. */
  onAccepted(args: Buffer[]): void {
    if (isOff(args)) {
      this.#forget();
      return;
    }
    // Of another kind than before it takes its place; said again it adds nothing.
    if (!saysBroadcast(args)) this.#forget();
    const said = writeRequest(args).toString('latin1');
    const bytes = said.length * copies + args.length * besideABuffer;
    if (this.#requests.delete(said)) this.#bytes -= bytes;
    this.#requests.set(said, args);
    this.#bytes += bytes;
    this.#broadcasts ||= saysBroadcast(args);
    this.#redirect = redirectIn(args) ?? this.#redirect;
  }

  /** As after RESET: nothing is tracked. Who has its changes told here goes on doing so. */
  reset(): void {
    this.#forget();
    this.#told = null;
  }

  #forget(): void {
    this.#requests.clear();
    this.#bytes = 0;
    this.#broadcasts = false;
    this.#redirect = null;
  }

  /** The requests for a server that knows the other client's connection by this id; null: there is no other. */
  requests(redirect: number | null): Buffer[] {
    return [...this.#requests.values()].map((args) => withRedirect(args, redirect));
  }
}

/** CLIENT TRACKING OFF. */
export function isOff(args: Buffer[]): boolean {
  return /^off$/i.test(args[2]?.toString('latin1') ?? '');
}

function saysBroadcast(args: Buffer[]): boolean {
  return args.some((arg) => /^bcast$/i.test(arg.toString('latin1')));
}

/** The id after REDIRECT; null when there is none. */
export function redirectIn(args: Buffer[]): number | null {
  const at = args.findIndex((arg, index) => index > 2 && /^redirect$/i.test(arg.toString('latin1')));
  const id = at < 0 ? '' : (args[at + 1]?.toString('latin1') ?? '');
  return /^[1-9]\d{0,15}$/.test(id) ? Number(id) : null;
}

export function withRedirect(args: Buffer[], id: number | null): Buffer {
  const at = args.findIndex((arg, index) => index > 2 && /^redirect$/i.test(arg.toString('latin1')));
  return writeRequest(
    args.map((arg, index) => (at > 0 && index === at + 1 && id !== null ? String(id) : arg)),
  );
}
