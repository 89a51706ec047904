import type { Buffer } from 'node:buffer';
import { readArguments } from '../../resp/arguments.ts';
import { MINUS } from '../../resp/bytes.ts';
import { writeRequest } from '../../resp/write.ts';
import type { Command } from '../commands/command-table.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Client } from './client.ts';
import { Observed } from './handlers.ts';
import { type Cursor, markOf, markReply, placeAt, readCursor } from './scan-cursor.ts';
import { sendPlainly } from './send-plain.ts';

/**
 * SCAN, HSCAN, SSCAN, ZSCAN. An iteration that began at another server, or before a restart, starts over where the
 * client is now, unseen: it may get elements twice, as with any scan, and none is left out. At the read-only port the
 * client goes back to the replica that it began at, if that may still be read from.
 *
 * @returns whether it was sent; false: it waits
 */
export function sendScan(client: Client, command: Command, request: Buffer, args: Buffer[]): boolean {
  const { place, router } = client;
  const at = cursorAt(command);
  const cursor = readCursor(args[at]?.toString('latin1') ?? '');
  if (cursor === null) return sendPlainly(client, command, request);
  const home = cursor.mark === 0 ? null : router.runs.memberOf((run) => markOf(run) === cursor.mark);
  if (home !== null && place.own === null && place.route?.target !== home) place.reroute();
  const route = place.preferring(home, () => router.route(client, false));
  if (route === null) return false;
  const asked = withCursor(args, at, placeAt(cursor, markOf(route.atServer.run)));
  route.send(
    client,
    asked,
    0,
    asked.length,
    1,
    false,
    new Scanning(client, request, markOf(route.atServer.run)),
  );
  return true;
}

/**
 * The same inside a transaction: what goes to the server, and what is kept of it. Should the transaction be put onto
 * another server, it starts over there; EXEC marks what it answers.
 */
export function queuedScan(
  command: Command,
  request: Buffer,
  { atServer }: Upstream,
): { asked: Buffer; kept: Buffer } {
  const args = readArguments(request, 0, request.length);
  const at = cursorAt(command);
  const cursor: Cursor | null = readCursor(args[at]?.toString('latin1') ?? '');
  if (cursor === null) return { asked: request, kept: request };
  return {
    asked: withCursor(args, at, placeAt(cursor, markOf(atServer.run))),
    kept: withCursor(args, at, 0),
  };
}

function cursorAt({ name }: Command): number {
  return name === 'scan' ? 1 : 2;
}

function withCursor(args: Buffer[], at: number, place: number): Buffer {
  return writeRequest(args.map((arg, index) => (index === at ? String(place) : arg)));
}

class Scanning extends Observed {
  readonly #mark: number;

  /** @param request as the client sent it: that is what is sent again */
  constructor(client: Client, request: Buffer, mark: number) {
    super(client, request);
    this.#mark = mark;
  }

  override onReply(buf: Buffer, start: number, end: number): boolean {
    const marked = buf[start] === MINUS ? null : markReply(buf, start, end, this.#mark);
    if (marked === null) return super.onReply(buf, start, end);
    this.client.deliver(marked, 0, marked.length);
    return true;
  }
}
