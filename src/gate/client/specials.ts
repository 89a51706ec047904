import { Buffer } from 'node:buffer';
import { readArguments } from '../../resp/arguments.ts';
import { writeError, writeSimple } from '../../resp/write.ts';
import type { Command } from '../commands/command-table.ts';
import { Swallow } from '../upstream/open-upstream.ts';
import { pingRequest } from '../upstream/requests.ts';
import { sendClientCommand } from './client-command.ts';
import type { Client } from './gate-client.ts';
import { Blocking, Observed, Subscribing } from './handlers.ts';
import { observer } from './observers.ts';
import { endTransaction, Queued, TransactionEnd } from './transaction.ts';

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
  if (name === 'publish' || name === 'spublish') {
    const [, channel] = readArguments(request, 0, request.length);
    if (channel?.equals(hello)) return refuseHello(client);
    if (!client.inMulti) return client.sendPlain(command, buf, start, end);
  }
  if (client.inMulti && !outsideOfMulti.has(name)) {
    const refused = notInMulti.test(name) && !(name === 'debug' && client.router.config.allowDebug);
    return refused ? refuseInMulti(client, name) : sendQueued(client, command, request);
  }
  if (name === 'quit') return answer(client, writeSimple('OK'), true);
  // What a browser was made to send: the server closes such a connection, and that would be the shared one.
  if (name === 'post' || name === 'host:') return answer(client, noBytes, true);
  // Some of these get no answer, or make the connection something else: no connection of ours may see them.
  if (/^(sync|psync|replconf|script\|debug)$/.test(name)) {
    const words = name.replace('|', ' ').toUpperCase();
    return answer(client, writeError(`ERR ${words} is not possible through a gate`));
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

const hello = Buffer.from('__sentinel__:hello');
const noBytes: Buffer = Buffer.alloc(0);
const outsideOfMulti = new Set(['exec', 'discard', 'quit', 'reset', 'multi', 'watch', 'post', 'host:']);
/**
 * What a transaction would do to the connection while it runs can't be followed here; and what is answered here can't
 * be put between the answers of a transaction.
 */
const notInMulti =
  /^([ps]?(un)?subscribe|monitor|debug|client\|(?!help$|pause$|unpause$|no-touch$|setinfo$).*)$/;
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
  const broken = client.multiFailed || session.transactionLost || session.watchBroken;
  if (name === 'exec' && broken) return endBroken(client);
  const upstream = router.ownFor(client);
  if (upstream === null) return false;
  const send = (handler: Observed | Subscribing) =>
    upstream.send(client, request, 0, request.length, 1, mayWrite && !command.blocking, handler);
  if (subscribing.test(name)) {
    upstream.outOfBand = true;
    send(new Subscribing(client, request, name, args.slice(1)));
  } else if (client.inMulti && (name === 'multi' || name === 'watch')) {
    send(new Queued(client, request, name));
  } else if (name === 'watch') {
    const watched = () => {
      session.watching = true;
    };
    send(new Queued(client, request, 'watched', watched));
  } else if (name === 'multi') {
    client.inMulti = true;
    const begun = () => {
      session.transaction = [request];
    };
    send(new Queued(client, request, 'begin', begun));
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
  const { requestBytes } = router.config.limits;
  const queued = () => session.queue(request, command.special !== null, requestBytes);
  upstream.send(client, request, 0, request.length, 1, false, new Queued(client, request, 'queued', queued));
  return true;
}

/** In the words of a server whose ACL forbids it. Whoever publishes there tells the Sentinels who is primary. */
function refuseHello(client: Client): boolean {
  const text = 'NOPERM this user has no permissions to access one of the channels used as arguments';
  if (!answer(client, writeError(text))) return false;
  if (client.inMulti) client.multiFailed = true;
  return true;
}

function refuseInMulti(client: Client, name: string): boolean {
  const words = name.replace('|', ' ').toUpperCase();
  if (!answer(client, writeError(`ERR ${words} inside MULTI is not possible through a gate`))) return false;
  client.multiFailed = true;
  return true;
}

const tooLong = writeError(
  'EXECABORT Transaction discarded because of: the primary changed, and it is too long to be sent again',
);

/** The transaction can't be executed: a queued command was refused here, or a watch did not survive. */
function endBroken(client: Client): boolean {
  if (!client.idle()) return false;
  const { session } = client;
  let reply: Buffer = Buffer.from(session.protocol === 3 ? '_\r\n' : '*-1\r\n');
  if (client.multiFailed) reply = writeError('EXECABORT Transaction discarded because of previous errors.');
  else if (session.transactionLost) reply = tooLong;
  endTransaction(client);
  client.inMulti = false;
  client.router.dropOwn(client);
  client.deliver(reply, 0, reply.length);
  return true;
}

function answer(client: Client, reply: Buffer, close = false): boolean {
  if (!client.idle()) return false;
  if (reply.length > 0) client.deliver(reply, 0, reply.length);
  if (close) client.closing = true;
  return true;
}
