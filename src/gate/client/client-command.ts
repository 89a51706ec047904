import { Buffer } from 'node:buffer';
import { MINUS } from '../../resp/bytes.ts';
import { writeBulk, writeError, writeInteger, writeRequest, writeSimple } from '../../resp/write.ts';
import type { Command } from '../commands/command-table.ts';
import type { Client } from './client.ts';
import { describeClient } from './client-line.ts';
import { Observed, Repeated } from './handlers.ts';
import { ReplyRoom } from './reply-room.ts';
import { sendPlainly } from './send-plain.ts';

/**
 * CLIENT, as one connection to one server would answer it. To the member, a client of the gate is no connection, so
 * ids, names, the list and KILL are the gate's own. Each is still sent to the member first, in a form that changes
 * nothing there: the member says whether this user may, and the gate replaces only an answer that is no error.
 *
 * Undefined for what is sent as it is.
 */
export function sendClientCommand(
  client: Client,
  command: Command,
  sub: string,
  request: Buffer,
  args: Buffer[],
): boolean | undefined {
  const text = (index: number) => args[index]?.toString() ?? '';
  const { session } = client;
  if (sub === 'reply') {
    if (args.length !== 3 || !/^(on|off|skip)$/i.test(text(2))) return undefined;
    if (!client.idle()) return false;
    // A server refuses it there, in its own words.
    return session.subscribed && session.protocol === 2 ? undefined : setReplies(client, text(2));
  }
  const replacement = replacementOf(client, sub, request, args);
  if (replacement === null) return sendPlainly(client, command, request);
  const { asked, answer } = replacement;
  // If it has to be sent again, that is what the client asked for, not what is sent in its place.
  if (answer === null) return sendPlainly(client, command, asked, new Observed(client, request));
  const route = client.router.route(client, false);
  if (route === null) return false;
  route.send(client, asked, 0, asked.length, 1, false, new Replaced(client, request, answer));
  return true;
}

/** What is asked in the place of a request; and what is answered in the place of an answer that is no error, if not that. */
interface Replacement {
  asked: Buffer;
  answer: ((room: ReplyRoom) => Buffer) | null;
}

/** Null: it is asked and answered as it is. */
export function replacementOf(
  client: Client,
  sub: string,
  request: Buffer,
  args: Buffer[],
): Replacement | null {
  const { session } = client;
  const count = args.length;
  const text = (index: number) => args[index]?.toString() ?? '';
  switch (sub) {
    case 'id':
      return { asked: request, answer: () => writeInteger(client.id) };
    case 'getname':
      return {
        asked: request,
        answer: (room) =>
          session.name === ''
            ? writeBulk(null, session.protocol)
            : room.fill([session.name], (text) => writeBulk(text, session.protocol)),
      };
    case 'info':
      return { asked: request, answer: (room) => writeText(client, [describeClient(client)], room) };
    case 'list':
      return {
        asked: request,
        answer: (room) => writeText(client, linesOf(client, args), room),
      };
    case 'setname': {
      if (count !== 3) return null;
      const asked = writeRequest(['CLIENT', 'SETNAME', gateName(client)]);
      return { asked, answer: () => setName(client, text(2)) };
    }
    case 'capa': {
      // Valkey: who can be redirected is, by a replica or a former primary, past the gate. What is unknown is ignored there.
      if (count < 3) return null;
      const asked = writeRequest(['CLIENT', args[1] as Buffer, 'none']);
      return { asked, answer: () => writeSimple('OK') };
    }
    case 'kill':
      return count < 3 ? null : { asked: harmlessKill(args), answer: () => kill(client, args) };
    case 'unblock':
      return count < 3 ? null : { asked: unblocking(client, request, args), answer: null };
    default:
      return null;
  }
}

/** What is sent in its place changes nothing at the server. */
class Replaced extends Repeated {
  readonly #answer: (room: ReplyRoom) => Buffer;

  constructor(client: Client, request: Buffer, answer: (room: ReplyRoom) => Buffer) {
    super(client, request);
    this.#answer = answer;
  }

  override onReply(buf: Buffer, start: number, end: number): boolean {
    if (buf[start] === MINUS) return super.onReply(buf, start, end);
    const answer = this.#answer(new ReplyRoom(this.client.router.config.limits.replyBytes));
    this.client.deliver(answer, 0, answer.length);
    return true;
  }
}

function writeText(client: Client, lines: Iterable<string>, room: ReplyRoom): Buffer {
  return room.fill(lines, (text) =>
    client.session.protocol === 3
      ? Buffer.concat([Buffer.from(`=${text.length + 4}\r\ntxt:`), text, Buffer.from('\r\n')])
      : writeBulk(text),
  );
}

/** CLIENT REPLY stays here: the server answers always, and the gate keeps what the client does not want. */
function setReplies(client: Client, mode: string): boolean {
  const wanted = mode.toLowerCase();
  if (wanted === 'on') {
    client.setReplies('on');
    const reply = writeSimple('OK');
    client.deliver(reply, 0, reply.length);
  } else if (wanted === 'off') client.setReplies('off');
  else if (client.replies === 'on') client.setReplies('skip');
  return true;
}

/** What the gate's connections are called at members. */
function gateName({ router }: Client): string {
  return `holdfast-${router.config.id}`;
}

const isName = (name: string): boolean => /^[!-~]*$/.test(name);

/**
 * HELLO as a member is told: a name in it is the client's, and its connection goes to others, who would be called so in the
 * member's logs. One that a server refuses stays as it is.
 */
export function withGateName(client: Client, request: Buffer, args: Buffer[]): Buffer {
  let at = 2;
  const word = () => args[at]?.toString('latin1').toLowerCase();
  while (at < args.length && word() !== 'setname') at += word() === 'auth' ? 3 : 1;
  const name = args[at + 1]?.toString('latin1');
  if (name === undefined || !isName(name)) return request;
  return writeRequest(args.with(at + 1, Buffer.from(gateName(client))));
}

function setName(client: Client, name: string): Buffer {
  if (!isName(name)) {
    return writeError('ERR Client names cannot contain spaces, newlines or special characters.');
  }
  client.session.rename(name);
  return writeSimple('OK');
}

function* everyClient(client: Client): Generator<Client> {
  yield* client.router.clients;
}

function* linesOf(client: Client, args: Buffer[]): Generator<string> {
  for (const each of matching(client, args)) yield describeClient(each);
}

/** CLIENT LIST [TYPE t] [ID id…]: those that are asked for. */
function matching(client: Client, args: Buffer[]): Client[] {
  const all = [...everyClient(client)].toSorted((a, b) => a.id - b.id);
  const filter = args[2]?.toString().toLowerCase();
  const values = args.slice(3).map((arg) => arg.toString().toLowerCase());
  if (filter === 'id') {
    const wanted = new Set(values);
    return all.filter(({ id }) => wanted.has(String(id)));
  }
  if (filter === 'type') {
    return all.filter(({ session }) => values[0] === (session.subscribed ? 'pubsub' : 'normal'));
  }
  return all;
}

const nobody = '9007199254740991';

/** What the member is asked instead of a CLIENT KILL: it says what is wrong with it, and kills nobody. */
function harmlessKill(args: Buffer[]): Buffer {
  const filters = args.slice(2);
  if (filters.length === 1) return writeRequest(['CLIENT', 'KILL', 'ID', nobody]);
  const asked: Buffer[] = [];
  for (let index = 0; index < filters.length; index += 2) {
    const [filter, value] = filters.slice(index, index + 2) as [Buffer, Buffer | undefined];
    // Ids and addresses are the gate's own; what is wrong with them is said here.
    if (/^(id|l?addr)$/i.test(filter.toString('latin1')) && value !== undefined) continue;
    asked.push(filter, ...(value === undefined ? [] : [value]));
  }
  return writeRequest(['CLIENT', 'KILL', ...asked, 'ID', nobody]);
}

/**
 * CLIENT KILL addr:port, or with filters, of which the last of each kind counts and all have to fit; itself only when SKIPME
 * says no.
 */
function kill(client: Client, args: Buffer[]): Buffer {
  const words = args.slice(2).map((arg) => arg.toString());
  const latin1 = (index: number) => args[2 + index]?.toString('latin1') ?? '';
  const old = words.length === 1;
  let skipMe = !old;
  const tests = new Map<string, (each: Client) => boolean>();
  if (old) tests.set('addr', (each) => each.address === words[0]);
  else if (words.length === 0 || words.length % 2 !== 0) return writeError('ERR syntax error');
  for (let index = 0; !old && index < words.length; index += 2) {
    const value = words[index + 1] as string;
    const filter = (words[index] as string).toLowerCase();
    if (filter === 'id') {
      if (!/^[1-9]\d*$/.test(value)) return writeError('ERR client-id should be greater than 0');
      tests.set(filter, ({ id }) => String(id) === value);
    } else if (filter === 'addr') tests.set(filter, (each) => each.address === value);
    else if (filter === 'laddr')
      tests.set(filter, ({ socket }) => `${socket.localAddress}:${socket.localPort}` === value);
    else if (filter === 'user') tests.set(filter, (each) => each.session.user === latin1(index + 1));
    else if (filter === 'type') {
      tests.set(filter, ({ session }) => value.toLowerCase() === (session.subscribed ? 'pubsub' : 'normal'));
    } else if (filter === 'maxage') {
      const ms = Number(value) * 1000;
      tests.set(filter, ({ since }) => Date.now() - since >= ms);
    } else if (filter === 'skipme' && /^(yes|no)$/i.test(value)) skipMe = value.toLowerCase() === 'yes';
    else return writeError('ERR syntax error');
  }
  const all = [...tests.values()];
  let killed = 0;
  for (const each of [...everyClient(client)]) {
    if ((each === client && skipMe) || !all.every((test) => test(each))) continue;
    killed++;
    if (each === client) client.end();
    else each.close();
  }
  if (old) return killed > 0 ? writeSimple('OK') : writeError('ERR No such client');
  return writeInteger(killed);
}

/** CLIENT UNBLOCK for the member, which knows the blocked client by its connection's own id. */
function unblocking(client: Client, request: Buffer, args: Buffer[]): Buffer {
  const id = Number(args[2]);
  const blocked = [...everyClient(client)].find((each) => each.id === id);
  // Who waits at another route is not to be found at this server: its number is another's here.
  const serverId = (blocked?.router === client.router ? blocked.place.own?.atServer.id : null) ?? nobody;
  // Whoever has no connection of its own is not blocked, and a number that the gate never gave is nobody's here,
  // though the member may have a connection with it: an id that no connection has says the same.
  const known = /^\d{1,15}$/.test(args[2]?.toString() ?? '');
  return known ? writeRequest(['CLIENT', 'UNBLOCK', String(serverId), ...args.slice(3)]) : request;
}
