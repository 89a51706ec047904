import { type Behaviour, behaviourOf, listedNames } from './behaviour.ts';

/** What the gate does with each kind of command, for people: docs/gate.md has it as a table, which a test keeps equal. */
const meanings: Record<Behaviour['kind'], { also?: string; does: string }> = {
  plain: {
    also: "GET, SET, EVAL and all that the server's table calls a read or a write",
    does: 'goes on the shared connection. A read is sent again if its answer is lost; a write is held while writes are held',
  },
  access: {
    does: 'the same; connections of before, of users whose rights changed, are not for those who come',
  },
  publish: {
    does: "the same; to `__sentinel__:hello` it is `NOPERM`, whatever the user's ACL says: who publishes there tells the Sentinels who is primary ([spec.md](spec.md#who-may-publish-where))",
  },
  scan: { does: 'goes on the shared connection, with cursors that say which server gave them' },
  identity: {
    does: "goes on a connection of the client's own, which is given back afterwards as what it has become",
  },
  transaction: { does: 'own connection until the end of the transaction' },
  blocking: {
    also: 'BLPOP and all with the flag `blocking`',
    does: 'own connection until it is answered; what comes behind it waits',
  },
  'maybe-blocking': { does: 'the same if an argument says BLOCK; else as a plain read or write' },
  wait: { does: 'own connection until it is answered' },
  subscription: { does: 'own connection while there is one' },
  monitor: { does: 'own connection until it ends' },
  mode: { does: 'own connection while the mode is set' },
  clients: {
    does: "the member is asked whether the user may; the answer is the gate's own. CLIENT REPLY is never sent",
  },
  rescue: { does: 'own connection, so that it does not wait behind what it is to end' },
  foreign: {
    also: "what neither the server's table nor this one knows to leave nothing behind",
    does: 'keeps its client on a connection of its own, which ends with the client',
  },
  debug: { does: 'an error, unless `allowDebug`; then as what is not known' },
  quit: { does: 'never sent: answered, and the client is closed' },
  browser: { does: 'never sent: the client is closed, as by a server' },
  refused: { does: 'an error' },
};

/** The rows of the table, as Markdown. */
export function behaviourTable(): string {
  const rows = Object.entries(meanings).map(([kind, { also, does }]) => {
    const names = listedNames
      .filter((name) => behaviourOf(name, []).kind === kind)
      .map((name) => name.replace('|', ' ').toUpperCase());
    const commands = [...names, ...(also === undefined ? [] : [also])].join(', ');
    return `| ${kind} | ${commands} | ${does} |`;
  });
  return ['| kind | commands | what the gate does |', '| --- | --- | --- |', ...rows].join('\n');
}
