import { Buffer } from 'node:buffer';
import { readArguments } from '../resp/arguments.ts';
import { writeError, writeSimple } from '../resp/write.ts';
import type { Client } from './client.ts';
import type { Command } from './commands.ts';
import { Blocking, Observed, Queued, Subscribing, TransactionEnd } from './handlers.ts';

/**
 * Requests that change what their connection is, or that are answered in a way of their own. Each returns true
 * when it was sent or answered, false when it must wait; `client.pump` comes by again then.
 */
export function sendSpecial(
  client: Client,
  command: Command,
  buf: Buffer,
  start: number,
  end: number,
): boolean {
  const request = Buffer.from(buf.subarray(start, end));
  const name = command.name;
  if (client.inMulti && !outsideOfMulti.has(name)) return sendQueued(client, command, request);
  if (name === 'quit') return answer(client, writeSimple('OK'), true);
  if (name === 'sync' || name === 'psync') {
    return answer(client, writeError(`ERR ${name.toUpperCase()} is not possible through a gate`));
  }
  const args = readArguments(request, 0, request.length);
  if (name === 'client' && isReplyMode(args)) return setReplies(client, args);
  if (name === 'debug' && !client.router.config.allowDebug) {
    return answer(client, writeError('ERR DEBUG is not allowed through this gate'));
  }
  return sendOwn(client, command, request, args);
}

const outsideOfMulti = new Set(['exec', 'discard', 'quit', 'reset', 'multi', 'watch']);
const subscribing = new Set(['subscribe', 'psubscribe', 'ssubscribe']);
const unsubscribing = new Set(['unsubscribe', 'punsubscribe', 'sunsubscribe']);
/** They change what the requests behind them mean, so those wait for the answer. */
const settling = new Set(['auth', 'hello', 'select', 'client', 'reset', 'monitor', 'debug']);

function sendOwn(client: Client, command: Command, request: Buffer, args: Buffer[]): boolean {
  const { name } = command;
  const { router, session } = client;
  if (settling.has(name) && !client.idle()) return false;
  const mayWrite = !command.read && !(name === 'exec' && session.transaction === null);
  if (mayWrite && router.holding !== 'none') {
    router.hold(client);
    return false;
  }
  if (name === 'exec' && (client.multiFailed || session.watchBroken)) return endBroken(client);
  const upstream = router.ownUpstream(client, command);
  if (upstream === null) return false;
  const send = (handler: Observed | Subscribing) =>
    upstream.send(client, request, 0, request.length, 1, mayWrite && !command.blocking, handler);
  if (subscribing.has(name) || unsubscribing.has(name)) {
    upstream.outOfBand = true;
    send(new Subscribing(client, request, name, args.slice(1)));
  } else if (name === 'multi') {
    client.inMulti = true;
    send(
      new Queued(client, request, () => {
        session.transaction = [request];
      }),
    );
  } else if (name === 'exec' || name === 'discard') {
    client.inMulti = false;
    send(new TransactionEnd(client, request, name === 'exec'));
  } else if (command.blocking || name === 'wait' || name === 'waitaof') send(new Blocking(client, request));
  else {
    if (name === 'monitor' || name === 'hello' || name === 'client') upstream.outOfBand = true;
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
  const upstream = router.ownUpstream(client, command);
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
  const broken = session.protocol === 3 ? '_\r\n' : '*-1\r\n';
  const reply = client.multiFailed
    ? writeError('EXECABORT Transaction discarded because of previous errors.')
    : Buffer.from(broken);
  session.transaction = null;
  session.watching = false;
  session.watchBroken = false;
  client.multiFailed = false;
  client.inMulti = false;
  client.router.dropUpstream(client);
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
  const word = (index: number) => text(index).toLowerCase();
  return () => {
    if (name === 'select') session.database = Number(text(1));
    else if (name === 'watch') session.watching = true;
    else if (name === 'unwatch') session.watching = false;
    else if (name === 'monitor') session.monitor = request;
    else if (name === 'reset') {
      session.reset();
      client.inMulti = false;
    } else if (name === 'auth') {
      session.credentials = {
        username: args.length > 2 ? text(1) : 'default',
        password: args.length > 2 ? text(2) : text(1),
      };
    } else if (name === 'hello') observeHello(client, args);
    else if (name === 'client' && word(1) === 'setname') session.name = text(2);
    else if (name === 'client' && /^(tracking|no-evict|no-touch|setinfo)$/.test(word(1))) {
      const key = word(1) === 'setinfo' ? `setinfo ${word(2)}` : word(1);
      if (word(2) === 'off') session.modes.delete(key);
      else session.modes.set(key, request);
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

function isReplyMode(args: Buffer[]): boolean {
  return (
    args.length === 3 &&
    /^reply$/i.test(args[1]?.toString() ?? '') &&
    /^(on|off|skip)$/i.test(String(args[2]))
  );
}

/** CLIENT REPLY stays here: the server answers always, and the gate keeps what the client does not want. */
function setReplies(client: Client, args: Buffer[]): boolean {
  if (!client.idle()) return false;
  const mode = String(args[2]).toLowerCase();
  if (mode === 'on') {
    client.replies = 'on';
    return answer(client, writeSimple('OK'));
  }
  if (mode === 'off') client.replies = 'off';
  else if (client.replies === 'on') client.replies = 'skip';
  return true;
}
