import { Buffer } from 'node:buffer';
import { readArguments } from '../../resp/arguments.ts';
import { writeError, writeSimple } from '../../resp/write.ts';
import { type Behaviour, settles } from '../commands/behaviour.ts';
import type { Command } from '../commands/command-table.ts';
import { Swallow } from '../upstream/open-upstream.ts';
import { pingRequest } from '../upstream/requests.ts';
import { Blocking, Waiting } from './blocking.ts';
import type { Client } from './client.ts';
import { sendClientCommand, withGateName } from './client-command.ts';
import { AccessChange, Foreign, Identifying, Observed, Repeated, Settling, Subscribing } from './handlers.ts';
import { observer } from './observers.ts';
import { refusalOfOwnWords } from './own-words.ts';
import { queuedAs } from './replaced-replies.ts';
import { sendScan } from './scanning.ts';
import { sendPlainly } from './send-plain.ts';
import { redirectIn, withRedirect } from './tracking.ts';
import { introduceOwn, redirectTarget } from './tracking-restore.ts';
import { isReadInExec, Queued, TransactionEnd } from './transaction-handlers.ts';

/**
 * Requests that change what their connection is, or that are answered in a way of their own: one handler for each
 * kind of behaviour. Each returns true when it was sent or answered, false when it must wait; `client.pump` comes by
 * again then.
 *
 * What changes a connection (AUTH, SELECT, MULTI, SUBSCRIBE…) goes to a connection of the client's own, which it
 * gets here. When the session is plain again afterwards, that connection is given back, as what it has become, if
 * every answer on it proved what it is.
 */
interface Special<Of extends Behaviour = Behaviour> {
  client: Client;
  command: Command;
  behaviour: Of;
  request: Buffer;
  args: Buffer[];
}

type Handlers = {
  [Kind in Behaviour['kind']]: (special: Special<Extract<Behaviour, { kind: Kind }>>) => boolean;
};

const handlers: Handlers = {
  plain: sendPlain,
  access: sendAccess,
  foreign: (special) => sendOwn(special, new Foreign(special.client, special.request)),
  blocking: sendBlocking,
  'maybe-blocking': (special) =>
    special.args.some((arg) => /^block$/i.test(arg.toString('latin1')))
      ? sendBlocking(special)
      : sendPlain(special),
  scan: ({ client, command, request, args }) => sendScan(client, command, request, args),
  wait: sendWait,
  identity: sendSettling,
  monitor: sendSettling,
  mode: sendSettling,
  debug: sendDebug,
  transaction: sendTransaction,
  subscription: sendSubscription,
  clients: (special) => {
    const { client, command, behaviour, request, args } = special;
    return sendClientCommand(client, command, behaviour.verb, request, args) ?? sendPlain(special);
  },
  rescue: (special) => sendOwn(special, new Observed(special.client, special.request)),
  quit: ({ client }) => answer(client, writeSimple('OK'), true),
  // The server closes such a connection, and that would be the shared one.
  browser: ({ client }) => answer(client, noBytes, true),
  refused: refuse,
  publish: (special) => (saysHello(special.request) ? refuseHello(special.client) : sendPlain(special)),
};

const noBytes: Buffer = Buffer.alloc(0);

export function sendSpecial(
  client: Client,
  command: Command,
  buf: Buffer,
  start: number,
  end: number,
): boolean {
  const tooMuch = refusalOfOwnWords(command, end - start);
  if (tooMuch !== null) return refuseOwnWords(client, tooMuch);
  const request = client.requests.lasting(buf, start, end);
  const { behaviour } = command;
  const { transaction } = client.session;
  const inMulti = transaction.open;
  // Until MULTI is answered nobody knows: should the server refuse it, what comes behind it is executed.
  if (transaction.unsure && !mayFollowMulti(behaviour) && !client.idle()) return false;
  if (inMulti && behaviour.kind === 'publish' && saysHello(request)) return refuseHello(client);
  if (inMulti && !actsInMulti(behaviour)) {
    return isRefusedInMulti(client, command, request)
      ? refuseInMulti(client, command)
      : sendQueued(client, command, request);
  }
  const special = {
    ...{ client, command, behaviour, request },
    // There may be very many.
    get args() {
      return readArguments(request, 0, request.length);
    },
  };
  return (handlers[behaviour.kind] as (special: Special) => boolean)(special);
}

/** What does no more to its connection when it is executed than when it is queued; and the end of a transaction. */
function mayFollowMulti(behaviour: Behaviour): boolean {
  const { kind } = behaviour;
  if (kind === 'transaction') return behaviour.verb === 'exec' || behaviour.verb === 'discard';
  return kind === 'plain' || kind === 'publish';
}

/** What is not queued behind MULTI. */
function actsInMulti(behaviour: Behaviour): boolean {
  const { kind } = behaviour;
  if (kind === 'transaction') return behaviour.verb !== 'unwatch';
  if (kind === 'identity') return behaviour.verb === 'reset';
  return kind === 'quit' || kind === 'browser';
}

/**
 * What can't be followed here: SUBSCRIBE answers more often than EXEC counts, and the others depend on what is so when
 * the transaction is executed.
 */
function isRefusedInMulti(client: Client, { name, behaviour }: Command, request: Buffer): boolean {
  const { kind } = behaviour;
  if (kind === 'debug') return !client.router.config.allowDebug;
  if (name === 'client|tracking') return redirectIn(readArguments(request, 0, request.length)) !== null;
  return kind === 'subscription' || kind === 'refused' || (kind === 'clients' && behaviour.verb === 'reply');
}

const hello = Buffer.from('__sentinel__:hello');

function saysHello(request: Buffer): boolean {
  return readArguments(request, 0, request.length)[1]?.equals(hello) === true;
}

function sendPlain({ client, command, request }: Special): boolean {
  return sendPlainly(client, command, request);
}

/** Who may do what may be another thing afterwards: connections of before are not for those who come. */
function sendAccess({ client, command, request, args }: Special): boolean {
  const handler = new AccessChange(client, request, args);
  return sendPlainly(client, command, request, handler);
}

function refuse({ client, command }: Special): boolean {
  return answer(client, writeError(`ERR ${wordsOf(command)} is not possible through a gate`));
}

function wordsOf({ name }: Command): string {
  return name.replace('|', ' ').toUpperCase();
}

/**
 * Before these its connection says its id: whether it waits is asked by that, and who subscribed in RESP2, or began a
 * transaction, can't ask any more when others have their changes told there.
 */
const hidesId: ReadonlySet<Behaviour['kind']> = new Set([
  'blocking',
  'maybe-blocking',
  'subscription',
  'transaction',
]);

/** Has the client's own connection take the request. */
function sendOwn({ client, command, request, behaviour }: Special, handler: Observed | Subscribing): boolean {
  const { router } = client;
  // They change what the requests behind them mean, so they come after everything before them, and are waited for.
  if (settles(behaviour) && !client.idle()) return false;
  const writes = !command.read;
  const upstream = router.route(client, writes, true);
  if (upstream === null) return false;
  const { kind } = behaviour;
  if (hidesId.has(kind)) introduceOwn(client, upstream);
  // WAIT is about what its connection wrote. A request before it makes that everything that was written so far.
  if (kind === 'wait') {
    upstream.send(null, pingRequest, 0, pingRequest.length, 1, false, new Swallow());
  }
  upstream.send(client, request, 0, request.length, 1, writes && !command.blocking, handler);
  if (settles(behaviour)) client.settle();
  return true;
}

function sendBlocking(special: Special): boolean {
  const { client, request } = special;
  const handler = new Blocking(client, request);
  if (!sendOwn(special, handler)) return false;
  const { own } = client.place;
  if (own !== null) client.router.blocked.add(own, handler);
  client.settle();
  return true;
}

function sendWait(special: Special): boolean {
  const { client, command, request, args } = special;
  const [needed, ms] = args.slice(1).map((arg) => arg.toString('latin1'));
  const counts = command.name === 'wait' && args.length === 3 && [needed, ms].every(isCount);
  if (!counts) return sendBlocking(special);
  // The gate may have to go on asking, so nothing comes behind it meanwhile.
  if (!client.idle() || !sendOwn(special, new Waiting(client, request, Number(needed), Number(ms))))
    return false;
  client.settle();
  return true;
}

const isCount = (text: string | undefined): boolean => /^\d{1,9}$/.test(text ?? '');

function sendSettling(special: Special): boolean {
  const { client, command, request, args } = special;
  const { name } = command;
  if (name === 'client|tracking' && redirectIn(args) !== null) return sendRedirected(special);
  const Handler = /^(hello|client\|(getredir|trackinginfo))$/.test(name) ? Identifying : Settling;
  const handler = new Handler(client, request, observer(client, name, args, request));
  if (name !== 'hello') return sendOwn(special, handler);
  return sendOwn({ ...special, request: withGateName(client, request, args) }, handler);
}

const nobodyThere = writeError('ERR The client ID you want redirect to does not exist');

const noRedirect = writeError('ERR CLIENT TRACKING with REDIRECT is not possible through a gate with routes');

/** CLIENT TRACKING … REDIRECT: the server knows the other client by the id of its connection. */
function sendRedirected(special: Special): boolean {
  const { client, command, request, args } = special;
  const { router } = client;
  if (!client.idle()) return false;
  // The other client may be at another server, which does not know this one's connections.
  if (router.routes !== null) return answer(client, noRedirect);
  const own = router.route(client, false, true);
  if (own === null) return false;
  const id = redirectTarget(client, redirectIn(args) as number, own);
  if (id === 'wait') return false;
  if (id === null) return answer(client, nobodyThere);
  const observe = observer(client, command.name, args, request);
  const asked = { ...special, request: withRedirect(args, id) };
  return sendOwn(asked, new Settling(client, request, observe));
}

function sendDebug(special: Special): boolean {
  const { client, request, args } = special;
  if (!client.router.config.allowDebug) {
    if (args.length < 2)
      return answer(client, writeError("ERR wrong number of arguments for 'debug' command"));
    return answer(client, writeError('ERR DEBUG is not allowed through this gate'));
  }
  return sendOwn(special, new Foreign(client, request));
}

function sendSubscription(special: Special): boolean {
  const { client, command, request, args } = special;
  return sendOwn(special, new Subscribing(client, request, command.name, args.slice(1)));
}

function sendTransaction(special: Special<Extract<Behaviour, { kind: 'transaction' }>>): boolean {
  const { client, request, behaviour } = special;
  const { session } = client;
  const { verb } = behaviour;
  const { transaction } = session;
  if (verb === 'unwatch') {
    return sendOwn(special, new Repeated(client, request, observer(client, verb, special.args, request)));
  }
  // With an argument too many DISCARD ends nothing.
  if (verb === 'discard' && transaction.open && special.args.length > 1)
    return sendOwn(special, new Queued(client, request, 'queued'));
  if (verb === 'exec' || verb === 'discard') return sendEnd(special, verb === 'exec');
  if (transaction.open) return sendOwn(special, new Queued(client, request, verb));
  if (verb === 'watch') {
    return sendOwn(special, new Queued(client, request, 'watched', () => transaction.onWatch()));
  }
  const begun = () => transaction.onMulti(request, true);
  if (!sendOwn(special, new Queued(client, request, 'begin', begun))) return false;
  transaction.sendMulti();
  return true;
}

/** EXEC or DISCARD. */
function sendEnd({ client, request, args }: Special, executes: boolean): boolean {
  const { router, session } = client;
  const { transaction } = session;
  const mayWrite = executes && (transaction.open || transaction.begun);
  // Without MULTI there is nothing to break, and with an argument too many it is aborted: the server says so.
  if (mayWrite && args.length === 1 && transaction.broken !== null) return endBroken(client);
  const upstream = router.route(client, mayWrite, true);
  if (upstream === null) return false;
  const told = transaction.tellServer();
  if (told !== null) upstream.send(null, told, 0, told.length, 1, false, new Swallow());
  const handler = new TransactionEnd(client, request, executes);
  upstream.send(client, request, 0, request.length, 1, mayWrite, handler);
  if (transaction.sendEnd()) client.settle();
  return true;
}

/** Inside a MULTI everything is only queued, whatever it is; the server says what can't be. */
function sendQueued(client: Client, command: Command, request: Buffer): boolean {
  const { router, session } = client;
  const upstream = router.route(client, !command.read, true);
  if (upstream === null) return false;
  const { requestBytes } = router.config.limits;
  const { behaviour } = command;
  session.transaction.sendQueued(settles(behaviour));
  const { asked, queued } = queuedAs(client, command, request, upstream);
  const accepted = () => {
    session.transaction.onQueued(queued, isReadInExec(behaviour), requestBytes);
    router.buffered.update(client);
  };
  upstream.send(client, asked, 0, asked.length, 1, false, new Queued(client, request, 'queued', accepted));
  return true;
}

/** In the words of a server whose ACL forbids it. Whoever publishes there tells the Sentinels who is primary. */
function refuseHello(client: Client): boolean {
  const text = 'NOPERM this user has no permissions to access one of the channels used as arguments';
  if (!answer(client, writeError(text))) return false;
  if (client.session.transaction.open) client.session.transaction.spoil();
  return true;
}

function refuseInMulti(client: Client, command: Command): boolean {
  const reply = writeError(`ERR ${wordsOf(command)} inside MULTI is not possible through a gate`);
  if (!answer(client, reply)) return false;
  client.session.transaction.spoil();
  return true;
}

function refuseOwnWords(client: Client, reply: Buffer): boolean {
  if (!answer(client, reply)) return false;
  if (client.session.transaction.open) client.session.transaction.spoil();
  return true;
}

const tooLong = writeError(
  'EXECABORT Transaction discarded because of: the primary changed, and it is too long to be sent again',
);

/** The transaction can't be executed: it was too long to be kept, or a watch did not survive. */
function endBroken(client: Client): boolean {
  if (!client.idle()) return false;
  const { protocol, transaction } = client.session;
  const aborted = Buffer.from(protocol === 3 ? '_\r\n' : '*-1\r\n');
  const reply = transaction.broken === 'lost' ? tooLong : aborted;
  transaction.reset();
  client.router.dropOwn(client);
  client.deliver(reply, 0, reply.length);
  return true;
}

function answer(client: Client, reply: Buffer, close = false): boolean {
  if (!client.idle()) return false;
  if (reply.length > 0) client.deliver(reply, 0, reply.length);
  if (close) client.end();
  return true;
}
