import type { ConnectionView } from '../../src/gate/upstream/connection-view.ts';
import type { AdminLink } from './admin-link.ts';

/**
 * Compares what the gate takes its connections for with what the members themselves say of them: user, database, protocol,
 * subscriptions, and that those which others may get are in no transaction and no mode.
 */

/** Who says what the gate takes its connections for. */
interface Asked {
  connections(): Promise<ConnectionView[]>;
}

/** A sentence about the first connection that is not what the gate takes it for. Members in any order. */
export async function findMistaken(gate: Asked, members: AdminLink[]): Promise<string | undefined> {
  // What changes just then may look wrong, so it is not believed yet.
  if ((await compareNow(gate, members)).size === 0) return undefined;
  const complaints = await compareNow(gate, members);
  // What changed meanwhile was in use.
  for (const view of await gate.connections()) {
    const complaint = complaints.get(JSON.stringify(view));
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

async function compareNow(gate: Asked, members: AdminLink[]): Promise<Map<string, string>> {
  const views = await gate.connections();
  // Nobody need be asked about connections that the gate does not have.
  const asked = members.filter(({ port }) => views.some(({ member }) => member === memberAt(`:${port}`)));
  return compare(views, await Promise.all(asked.map((member) => member.ask('CLIENT LIST'))));
}

/** What is not as the members say, by the view of it. */
function compare(views: ConnectionView[], lists: string[]): Map<string, string> {
  const said = new Map<string, string>();
  for (const line of lists.flatMap((list) => list.split('\n'))) said.set(keyOf(line), line);
  const complaints = new Map<string, string>();
  for (const view of views) {
    const line = said.get(`${view.member} ${view.id}`);
    if (line === undefined) continue;
    const isSo = Object.entries(describe(view)).every(([name, value]) => field(line, name) === value);
    if (isSo) continue;
    const text = JSON.stringify(view);
    complaints.set(text, `${text} is not what its server says: ${line}`);
  }
  return complaints;
}

function keyOf(line: string): string {
  return `${memberAt(field(line, 'laddr'))} ${field(line, 'id')}`;
}

/** The tests name a member by the port that it listens on. */
function memberAt(address: string): string {
  return `redis-${address.slice(address.lastIndexOf(':') + 1)}`;
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

/** What a line of CLIENT LIST says under this name. */
function field(line: string, name: string): string {
  // The id stands first.
  const at = line.startsWith(`${name}=`) ? 0 : line.indexOf(` ${name}=`) + 1;
  if (at === 0 && name !== 'id') return '';
  const from = at + name.length + 1;
  const end = line.indexOf(' ', from);
  return line.slice(from, end < 0 ? undefined : end);
}
