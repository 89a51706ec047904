/**
 * What a command does to the connection that carries it, and so what the gate does with it. It is computed once, when
 * the table is loaded: the server's flags decide, and the exceptions are listed here.
 *
 * A command is `plain` only if it is known to leave nothing behind on its connection: it has the flag `write` or
 * `readonly`, or it is listed. Whatever else there is (a module's command without flags, a command that is newer than
 * this code) counts as one that may change its connection.
 */
export type Behaviour =
  /** Leaves no state: it may go on a connection that others share. */
  | { kind: 'plain' }
  /** Leaves no state, and changes who may do what. */
  | { kind: 'access' }
  /** Leaves no state, and may go to any channel but the Sentinels' own. */
  | { kind: 'publish' }
  /** Not known to leave no state: the client keeps the connection that carried it. */
  | { kind: 'foreign' }
  /** Leaves no state, and its cursor is good for one server only. */
  | { kind: 'scan' }
  /** Waits at the server until something happens. */
  | { kind: 'blocking' }
  /** Waits only if one of its arguments says BLOCK. */
  | { kind: 'maybe-blocking' }
  /** About what its own connection wrote. */
  | { kind: 'wait' }
  /** Changes who the connection is, or how it speaks. */
  | { kind: 'identity'; verb: 'auth' | 'hello' | 'select' | 'reset' }
  | { kind: 'transaction'; verb: 'multi' | 'exec' | 'discard' | 'watch' | 'unwatch' }
  | { kind: 'subscription' }
  | { kind: 'monitor' }
  /** A mode of the connection, or a question about one. */
  | { kind: 'mode' }
  /** About clients, which are the gate's own. */
  | { kind: 'clients'; verb: string }
  /** Gets a connection of its own: it must not wait behind what it is to end. */
  | { kind: 'rescue' }
  | { kind: 'quit' }
  /** What a browser was made to send: the server closes such a connection. */
  | { kind: 'browser' }
  | { kind: 'debug' }
  | { kind: 'refused' };

/** Requests for these change what the requests behind them mean, so those wait for the answer. */
export function settles(behaviour: Behaviour): boolean {
  const { kind } = behaviour;
  return kind === 'identity' || kind === 'mode' || kind === 'monitor' || kind === 'debug';
}

/** What the server's table can't say of a command; the rest of the list is `plainNames`. */
const listed = new Map<string, Behaviour>([
  ...(['auth', 'hello', 'select', 'reset'] as const).map((verb): [string, Behaviour] => [
    verb,
    { kind: 'identity', verb },
  ]),
  ...(['multi', 'exec', 'discard', 'watch', 'unwatch'] as const).map((verb): [string, Behaviour] => [
    verb,
    { kind: 'transaction', verb },
  ]),
  ...'subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe'
    .split(' ')
    .map((name): [string, Behaviour] => [name, { kind: 'subscription' }]),
  ...'client|tracking client|caching client|getredir client|trackinginfo client|no-evict client|no-touch'
    .split(' ')
    .map((name): [string, Behaviour] => [name, { kind: 'mode' }]),
  ...'script|kill function|kill shutdown client|unpause'
    .split(' ')
    .map((name): [string, Behaviour] => [name, { kind: 'rescue' }]),
  ...'sync psync replconf script|debug'
    .split(' ')
    .map((name): [string, Behaviour] => [name, { kind: 'refused' }]),
  ...'acl|setuser acl|deluser acl|load config|set'
    .split(' ')
    .map((name): [string, Behaviour] => [name, { kind: 'access' }]),
  ...'scan hscan sscan zscan'.split(' ').map((name): [string, Behaviour] => [name, { kind: 'scan' }]),
  ['publish', { kind: 'publish' }],
  ['spublish', { kind: 'publish' }],
  ['xread', { kind: 'maybe-blocking' }],
  ['xreadgroup', { kind: 'maybe-blocking' }],
  ['wait', { kind: 'wait' }],
  ['waitaof', { kind: 'wait' }],
  ['monitor', { kind: 'monitor' }],
  ['debug', { kind: 'debug' }],
  ['quit', { kind: 'quit' }],
  ['post', { kind: 'browser' }],
  ['host:', { kind: 'browser' }],
]);

/** Without `write` or `readonly`, and they leave nothing behind on a connection: with all of their subcommands. */
const plainNames = new Set(
  (
    'ping echo time info role lastsave lolwut command config acl cluster latency memory module slowlog pubsub object ' +
    'function script xinfo xgroup eval evalsha fcall save bgsave bgrewriteaof replicaof slaveof ' +
    'failover pfselftest'
  ).split(' '),
);

/** CLIENT's subcommands that go to the server as they are, and leave nothing behind. */
const plainOfClient = new Set(['help', 'pause', 'setinfo']);
/** Those that are about what the gate's clients are. Any other may be a mode that is newer than this code. */
const aboutClients = new Set('list info id getname kill unblock setname reply capa'.split(' '));

/** Servers before 7.0 have no flag for it. On a shared connection they would hold everybody up. */
const knownBlocking = 'blpop brpop brpoplpush blmove blmpop bzpopmin bzpopmax bzmpop'.split(' ');

/** The names that must be known whatever the server's table says of them. */
export const listedNames: readonly string[] = [
  ...listed.keys(),
  ...[...aboutClients, ...plainOfClient].map((each) => `client|${each}`),
];

/** @param name in small letters, with the subcommand after a bar; `flags` as COMMAND gives them */
export function behaviourOf(name: string, flags: readonly string[]): Behaviour {
  const known = listed.get(name);
  if (known !== undefined) return known;
  const [first = '', second] = name.split('|');
  if (first === 'client' && second !== undefined) {
    if (plainOfClient.has(second)) return { kind: 'plain' };
    if (aboutClients.has(second)) return { kind: 'clients', verb: second };
  }
  if (flags.includes('blocking') || knownBlocking.includes(name)) return { kind: 'blocking' };
  const plain = flags.includes('write') || flags.includes('readonly') || plainNames.has(first);
  return { kind: plain ? 'plain' : 'foreign' };
}
