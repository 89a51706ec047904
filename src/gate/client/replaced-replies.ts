import { Buffer } from 'node:buffer';
import { readArguments } from '../../resp/arguments.ts';
import { MINUS, PUSH } from '../../resp/bytes.ts';
import { nextReply } from '../../resp/reply.ts';
import type { Command } from '../commands/command-table.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Client } from './client.ts';
import { replacementOf, withGateName } from './client-command.ts';
import { withOwnIds } from './handlers.ts';
import { ReplyRoom } from './reply-room.ts';
import { markOf, markReply } from './scan-cursor.ts';
import { queuedScan } from './scanning.ts';
import type { QueuedRequest } from './transaction.ts';

/**
 * Requests whose answer is the gate's own, inside a transaction: a server is told something in their place, so that it
 * queues as many as the client did, and each answer of EXEC that is no error is replaced.
 */
type Replace = (buf: Buffer, start: number, end: number) => Buffer | null;

/** What the server is told when this is queued; and what another one would be told, if it has to be put up again. */
export function queuedAs(
  client: Client,
  command: Command,
  request: Buffer,
  upstream: Upstream,
): { asked: Buffer; queued: QueuedRequest } {
  const { behaviour } = command;
  if (behaviour.kind === 'scan') {
    const { asked, kept } = queuedScan(command, request, upstream);
    return { asked, queued: { request, asked: kept } };
  }
  const args = readArguments(request, 0, request.length);
  if (command.name === 'hello') {
    const asked = withGateName(client, request, args);
    return { asked, queued: { request, asked } };
  }
  const replacement =
    behaviour.kind === 'clients' ? replacementOf(client, behaviour.verb, request, args) : null;
  const asked = replacement?.asked ?? request;
  return { asked, queued: { request, asked } };
}

/** EXEC's answer to these requests, on a connection to this run of a server, as the client gets it; null: as it came. */
export function replaceAnswers(
  client: Client,
  requests: Buffer[],
  run: string,
  buf: Buffer,
  start: number,
  end: number,
): Buffer | null {
  const room = new ReplyRoom(client.router.config.limits.replyBytes);
  const replaces = requests.map((request) =>
    request.length === 0 ? null : replaceOf(client, request, run, room),
  );
  if (replaces.every((each) => each === null)) return null;
  return replaceElements(buf, start, end, (index, from, to) =>
    buf[from] === MINUS ? null : (replaces[index]?.(buf, from, to) ?? null),
  );
}

function replaceOf(client: Client, request: Buffer, run: string, room: ReplyRoom): Replace | null {
  const command = client.router.table.commandIn(request);
  const { behaviour, name } = command;
  if (behaviour.kind === 'scan') return (buf, start, end) => markReply(buf, start, end, markOf(run));
  if (/^(hello|client\|(getredir|trackinginfo))$/.test(name))
    return (buf, start, end) => withOwnIds(client, buf, start, end);
  if (behaviour.kind !== 'clients') return null;
  const args = readArguments(request, 0, request.length);
  const answer = replacementOf(client, behaviour.verb, request, args)?.answer ?? null;
  return answer === null ? null : () => answer(room);
}

/** An aggregate with some of its elements replaced. A push among them is none of them: see resp/reply.ts. */
export function replaceElements(
  buf: Buffer,
  start: number,
  end: number,
  replace: (index: number, start: number, end: number) => Buffer | null,
): Buffer {
  const parts: Buffer[] = [];
  let pos = buf.indexOf('\n', start) + 1;
  let from = start;
  for (let index = 0; pos > 0 && pos < end; ) {
    const next = nextReply(buf, pos, end);
    if (next < 0) break;
    const replaced = buf[pos] === PUSH ? null : replace(index, pos, next);
    if (buf[pos] !== PUSH) index++;
    if (replaced !== null) {
      parts.push(buf.subarray(from, pos), replaced);
      from = next;
    }
    pos = next;
  }
  return Buffer.concat([...parts, buf.subarray(from, end)]);
}
