import type { ConnectionView } from '../../src/gate/upstream/connection-view.ts';
import type { AdminLink } from './admin-link.ts';
import type { GateProcess } from './gate-process.ts';

/**
 * Compares what the gate takes its connections for with what the members themselves say of them: user, database, protocol,
 * subscriptions, and that those which others may get are in no transaction and no mode.
 */

/** A sentence about the first connection that is not what the gate takes it for. Members in any order. */
export async function findMistaken(
  gate: Pick<GateProcess, 'control'>,
  members: AdminLink[],
): Promise<string | undefined> {
  // Everybody is asked at the same moment. What changed just then may look wrong, so it is not believed yet.
  const [views, ...lists] = await Promise.all([gate.control.connections(), ...listsOf(members)]);
  if (compare(views, lists).size === 0) return undefined;
  const complaints = compare(await gate.control.connections(), await Promise.all(listsOf(members)));
  // What changed meanwhile was in use.
  for (const view of await gate.control.connections()) {
    const complaint = complaints.get(JSON.stringify(view));
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

function listsOf(members: AdminLink[]): Promise<string>[] {
  return members.map((member) => member.ask('CLIENT LIST'));
}

/** What is not as the members say, by the view of it. */
function compare(views: ConnectionView[], lists: string[]): Map<string, string> {
  const said = new Map<string, string>();
  for (const line of lists.flatMap((list) => list.split('\n'))) said.set(keyOf(line), line);
  const complaints = new Map<string, string>();
  for (const view of views) {
    const line = said.get(`${view.member} ${view.id}`);
    if (line === undefined) continue;
    const wanted = describe(view);
    if (JSON.stringify(field(line, Object.keys(wanted))) === JSON.stringify(wanted)) continue;
    const text = JSON.stringify(view);
    complaints.set(text, `${text} is not what its server says: ${line}`);
  }
  return complaints;
}

function keyOf(line: string): string {
  const [, id, laddr = ''] = /\bid=(\d+) .*? laddr=(\S+)/.exec(line) ?? [];
  return `${memberAt(laddr)} ${id}`;
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

function field(line: string, names: string[]): Record<string, string> {
  const all = Object.fromEntries(
    line
      .trim()
      .split(' ')
      .map((each) => each.split(/=(.*)/s) as [string, string]),
  );
  return Object.fromEntries(names.map((name) => [name, all[name] ?? '']));
}
