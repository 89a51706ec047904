import type { Buffer } from 'node:buffer';
import type { Command } from '../commands/command-table.ts';
import type { ReplyHandler } from '../upstream/run.ts';
import type { Client } from './client.ts';

/** Sends one whole request where the client's plain requests go: false when it must wait. */
export function sendPlainly(
  client: Client,
  command: Command,
  buf: Buffer,
  handler: ReplyHandler | null = null,
  start = 0,
  end: number = buf.length,
): boolean {
  const { apart } = client;
  if (handler === null && !apart.ready()) return false;
  const route = client.router.route(client, !command.read, apart.on);
  if (route === null) return false;
  if (handler === null && apart.on) {
    if (apart.room(route) < 1) return false;
    apart.send(route, buf, start, end, 1, !command.read);
  } else route.send(client, buf, start, end, 1, !command.read, handler);
  return true;
}
