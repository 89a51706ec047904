import type { ConnectionView } from '../../src/gate/upstream/connection-view.ts';
import type { GateProcess } from './gate-process.ts';
import { RawClient } from './raw-client.ts';
import type { Server } from './redis-processes.ts';

/**
 * Compares what the gate takes its connections for with what the members themselves say of them: user, database, protocol,
 * subscriptions, and that those which others may get are in no transaction and no mode.
 */

/** A sentence about the first connection that is not what the gate takes it for. Members in any order. */
export async function findMistaken(gate: GateProcess, members: Server[]): Promise<string | undefined> {
  const before = await gate.control.connections();
  const said = new Map<string, string>();
  const lists = await Promise.all(members.map(({ port }) => clientList(port)));
  for (const line of lists.flat()) said.set(keyOf(line), line);
  // What changed meanwhile was in use.
  const after = new Set((await gate.control.connections()).map((view) => JSON.stringify(view)));
  for (const view of before) {
    const line = said.get(`${view.member} ${view.id}`);
    if (line === undefined || !after.has(JSON.stringify(view))) continue;
    const wanted = describe(view);
    const found = field(line, Object.keys(wanted));
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      return `${JSON.stringify(view)} is not what its server says: ${line}`;
  }
  return undefined;

  function keyOf(line: string): string {
    const { id, laddr = '' } = field(line, ['id', 'laddr']);
    return `${memberAt(laddr)} ${id}`;
  }
}

/** The tests name a member by the port that it listens on. */
function memberAt(address: string): string {
  return `redis-${address.slice(address.lastIndexOf(':') + 1)}`;
}

async function clientList(port: number): Promise<string[]> {
  const raw = await RawClient.open(port);
  const list = await raw.ask('CLIENT LIST');
  raw.close();
  return list.split('\n').filter((line) => line.startsWith('id='));
}

function describe({ use, user, database, protocol, subscriptions }: ConnectionView): Record<string, string> {
  const { channels, patterns, shardChannels } = subscriptions;
  return {
    // One that others may get is in no transaction, watches nothing that changed, tracks nothing.
    ...(use === 'own' ? {} : { flags: 'N', multi: '-1', redir: '-1' }),
    db: `${database}`,
    sub: `${channels}`,
    psub: `${patterns}`,
    ssub: `${shardChannels}`,
    user,
    resp: `${protocol}`,
  };
}

function field(line: string, names: string[]): Record<string, string> {
  const all = Object.fromEntries(
    line
      .trim()
      .split(' ')
      .map((each) => each.split(/=(.*)/s) as [string, string]),
  );
  return Object.fromEntries(names.map((name) => [name, all[name] ?? '']));
}
