import type { Client } from '../client/client.ts';
import type { GateClientInfo, GateClients } from './control-api.ts';

/** Longer lists are cut short: whoever reads them is a person. */
export const mostClients = 1000;

/** Of a name that a client gave itself, so much is shown. */
export const longestName = 256;

/** What a port has of clients. */
export interface ListedClients {
  readonly clients: ReadonlySet<Client>;
}

/** @param ports the read-write port, and the read-only one if there is one */
export function listClients(
  ports: readonly ListedClients[],
  isHeld: (client: Client) => boolean,
): GateClients {
  const found: GateClientInfo[] = [];
  for (const [index, { clients }] of ports.entries()) {
    for (const client of clients) {
      if (found.length === mostClients) break;
      found.push(infoOf(client, index === 0 ? 'read-write' : 'read-only', isHeld(client)));
    }
  }
  return { total: ports.reduce((sum, { clients }) => sum + clients.size, 0), clients: found };
}

function infoOf(client: Client, port: GateClientInfo['port'], held: boolean): GateClientInfo {
  const { session } = client;
  // Names are bytes, kept as latin1; people read UTF-8.
  const readable = (text: string) => Buffer.from(text.slice(0, longestName), 'latin1').toString('utf8');
  return {
    address: client.address,
    name: readable(session.name),
    user: readable(session.user),
    port,
    ageMs: Math.max(0, Date.now() - client.since),
    lastCommand: client.lastCommand,
    held,
    private: client.place.own !== null,
    db: session.identity.database,
  };
}

/** One list of several workers'. */
export function mergeClients(all: readonly GateClients[]): GateClients {
  return {
    total: all.reduce((sum, { total }) => sum + total, 0),
    clients: all.flatMap(({ clients }) => clients).slice(0, mostClients),
  };
}
