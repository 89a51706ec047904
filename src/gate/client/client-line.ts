import type { Client } from './client.ts';

/**
 * One line of CLIENT LIST, as latin1, with the fields of Redis 7.0 in their order. What the gate can't
 * know is 0; memory is what the gate keeps for the client. Who is blocked (`b`) is the server's own word.
 */
export function describeClient(client: Client): string {
  const { flow, session, socket } = client;
  const now = Date.now();
  const seconds = (since: number) => Math.floor((now - since) / 1000);
  const flags =
    (session.monitor !== null ? 'O' : '') +
    (session.subscribed ? 'P' : '') +
    (session.transaction.open ? 'x' : '') +
    (client.place.own?.ring.peek()?.handler?.blocked === true ? 'b' : '') +
    (session.tracking.on ? 't' : '') +
    (session.tracking.broadcasts ? 'B' : '') +
    (session.modes.has('no-evict') ? 'e' : '') +
    (session.modes.has('no-touch') ? 'T' : '');
  const kept = client.requests.size + flow.sentBytes;
  const unread = client.output.unread;
  const { keptBytes } = session.transaction;
  const fields: [string, string | number][] = [
    ['id', client.id],
    ['addr', client.address],
    ['laddr', `${socket.localAddress}:${socket.localPort}`],
    ['fd', 0],
    ['name', session.name],
    ['age', seconds(client.since)],
    ['idle', 0],
    ['flags', flags === '' ? 'N' : flags],
    ['db', session.identity.database],
    ['sub', session.channels.size],
    ['psub', session.patterns.size],
    ['ssub', session.shardChannels.size],
    ['multi', session.transaction.begun ? session.transaction.count : -1],
    ['qbuf', kept],
    ['qbuf-free', 0],
    ['argv-mem', 0],
    ['multi-mem', keptBytes],
    ['rbs', 0],
    ['rbp', 0],
    ['obl', unread],
    ['oll', 0],
    ['omem', 0],
    ['tot-mem', client.heldBytes + flow.sentBytes - flow.heldBytes],
    ['events', 'r'],
    ['cmd', client.lastCommand === '' ? 'NULL' : client.lastCommand],
    ['user', session.user],
    ['redir', session.tracking.on ? (session.tracking.redirect ?? 0) : -1],
    ['resp', session.protocol],
  ];
  return `${fields.map(([key, value]) => `${key}=${value}`).join(' ')}\n`;
}
