import type { Buffer } from 'node:buffer';
import type { Command } from '../commands/command-table.ts';
import type { ReplyHandler } from '../upstream/run-ring.ts';
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
  const route = client.router.route(client, !command.read);
  if (route === null) return false;
  route.send(client, buf, start, end, 1, !command.read, handler);
  return true;
}
