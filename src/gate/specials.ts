import { Buffer } from 'node:buffer';
import { readArguments } from '../resp/arguments.ts';
import { writeError, writeSimple } from '../resp/write.ts';
import type { Client } from './client.ts';
import { sendClientCommand } from './client-command.ts';
import type { Command } from './commands.ts';
import { Blocking, Observed, Queued, Subscribing, TransactionEnd } from './handlers.ts';
import { Swallow } from './open-upstream.ts';
import { pingRequest } from './requests.ts';

/**
 * Requests that change what their connection is, or that are answered in a way of their own. Each returns true
 * when it was sent or answered, false when it must wait; `client.pump` comes by again then.
 *
 * What changes a connection (AUTH, SELECT, MULTI, SUBSCRIBE…) goes to a connection of the client's own, which it
 * gets here. When the session is plain again afterwards, that connection is given back, as what it has become.
 */
export function sendSpecial(
  client: Client,
  command: Command,
  buf: Buffer,
  start: number,
  end: number,
): boolean {
  const request = Buffer.from(buf.subarray(start, end));
  const name = fullName(command, request);
  if (client.inMulti && !outsideOfMulti.has(name)) return sendQueued(client, command, request);
  if (name === 'quit') return answer(client, writeSimple('OK'), true);
  if (name === 'sync' || name === 'psync') {
    return answer(client, writeError(`ERR ${name.toUpperCase()} is not possible through a gate`));
  }
  if (name === 'debug' && !client.router.config.allowDebug) {
    return answer(client, writeError('ERR DEBUG is not allowed through this gate'));
  }
  const args = readArguments(request, 0, request.length);
  if (name.startsWith('client')) {
    const sent = sendClientCommand(client, command, name.slice('client|'.length), request, args);
    if (sent !== undefined) return sent;
  }
  if (name.startsWith('xread') && !args.some((arg) => /^block$/i.test(arg.toString('latin1')))) {
    return client.sendPlain(command, buf, start, end);
  }
  return sendOwn(client, command, name, request, args);
}

const outsideOfMulti = new Set(['exec', 'discard', 'quit', 'reset', 'multi', 'watch']);
const subscribing = /^[ps]?(un)?subscribe$/;
/** They change what the requests behind them mean, so those wait for the answer. */
const settling = /^(auth|hello|select|reset|monitor|debug|client\|.*)$/;

/** Before the server's table is there, CLIENT has no subcommands of its own. */
function fullName({ name }: Command, request: Buffer): string {
  if (name !== 'client') return name;
  return `client|${readArguments(request, 0, request.length)[1]?.toString('latin1').toLowerCase() ?? ''}`;
}

function sendOwn(client: Client, command: Command, name: string, request: Buffer, args: Buffer[]): boolean {
  const { router, session } = client;
  if (settling.test(name) && !client.idle()) return false;
  const mayWrite = !command.read && !(name === 'exec' && session.transaction === null && !client.inMulti);
  if (mayWrite && router.holding !== 'none') {
    router.hold(client);
    return false;
  }
  if (name === 'exec' && (client.multiFailed || session.watchBroken)) return endBroken(client);
  const upstream = router.ownFor(client);
  if (upstream === null) return false;
  const send = (handler: Observed | Subscribing) =>
    upstream.send(client, request, 0, request.length, 1, mayWrite && !command.blocking, handler);
  if (subscribing.test(name)) {
    upstream.outOfBand = true;
    send(new Subscribing(client, request, name, args.slice(1)));
  } else if (name === 'multi') {
    client.inMulti = true;
    const begun = () => {
      session.transaction = [request];
    };
    send(new Queued(client, request, begun));
  } else if (name === 'exec' || name === 'discard') {
    client.inMulti = false;
    send(new TransactionEnd(client, request, name === 'exec'));
  } else if (command.blocking || name === 'wait' || name === 'waitaof') {
    // WAIT is about what its connection wrote. A request before it makes that everything that was written so far.
    if (name.startsWith('wait')) {
      upstream.send(null, pingRequest, 0, pingRequest.length, 1, false, new Swallow());
    }
    send(new Blocking(client, request));
  } else {
    if (name === 'monitor' || name === 'hello' || name.startsWith('client')) upstream.outOfBand = true;
    send(new Observed(client, request, observer(client, name, args, request)));
  }
  return true;
}

/** Inside a MULTI everything is only queued, whatever it is; the server says what can't be. */
function sendQueued(client: Client, command: Command, request: Buffer): boolean {
  const { router, session } = client;
  if (!command.read && router.holding !== 'none') {
    router.hold(client);
    return false;
  }
  const upstream = router.ownFor(client);
  if (upstream === null) return false;
  const queued = () => {
    session.transaction?.push(request);
  };
  upstream.send(client, request, 0, request.length, 1, false, new Queued(client, request, queued));
  return true;
}

/** The transaction can't be executed: a queued command was refused here, or a watch did not survive. */
function endBroken(client: Client): boolean {
  if (!client.idle()) return false;
  const { session } = client;
  const broken = Buffer.from(session.protocol === 3 ? '_\r\n' : '*-1\r\n');
  const reply = client.multiFailed
    ? writeError('EXECABORT Transaction discarded because of previous errors.')
    : broken;
  session.transaction = null;
  session.watching = false;
  session.watchBroken = false;
  client.multiFailed = false;
  client.inMulti = false;
  client.router.dropOwn(client);
  client.deliver(reply, 0, reply.length);
  return true;
}

function answer(client: Client, reply: Buffer, close = false): boolean {
  if (!client.idle()) return false;
  client.deliver(reply, 0, reply.length);
  if (close) client.closing = true;
  return true;
}

/** What an accepted request makes of the session. */
function observer(client: Client, name: string, args: Buffer[], request: Buffer): () => void {
  const { session } = client;
  const text = (index: number) => args[index]?.toString() ?? '';
  return () => {
    client.route = null;
    if (name === 'select') session.database = Number(text(1));
    else if (name === 'watch') session.watching = true;
    else if (name === 'unwatch') session.watching = false;
    else if (name === 'monitor') session.monitor = request;
    else if (name === 'reset') {
      session.reset();
      client.inMulti = false;
      client.replies = 'on';
    } else if (name === 'auth') {
      session.credentials = {
        username: args.length > 2 ? text(1) : 'default',
        password: args.length > 2 ? text(2) : text(1),
      };
    } else if (name === 'hello') observeHello(client, args);
    else if (/^client\|(tracking|no-evict|no-touch)$/.test(name)) {
      if (text(2).toLowerCase() === 'off') session.modes.delete(name.slice(7));
      else session.modes.set(name.slice(7), request);
    }
  };
}

function observeHello(client: Client, args: Buffer[]): void {
  const { session } = client;
  if (args.length > 1) session.protocol = args[1]?.toString() === '3' ? 3 : 2;
  for (let index = 2; index < args.length; index++) {
    const option = args[index]?.toString().toLowerCase();
    if (option === 'auth') {
      session.credentials = { username: String(args[index + 1]), password: String(args[index + 2]) };
      index += 2;
    } else if (option === 'setname') session.name = String(args[++index]);
  }
}
