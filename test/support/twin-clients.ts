import { readFileSync } from 'node:fs';
import { waitFor } from '../../src/base/retry.ts';
import { GateControl } from '../../src/gate/control/control-client.ts';
import { AdminLink } from './admin-link.ts';
import { ConnectionsLink } from './connections-link.ts';
import type { GateProcess } from './gate-process.ts';
import { findMistaken } from './mistaken-connections.ts';
import { RawClient } from './raw-client.ts';
import type { Server } from './redis-processes.ts';

/** A gate that gets processor time answers sooner; whoever has as much of that as `busyMs` meanwhile is not waiting for it. */
const lateMs = 2000;
const busyMs = 1000;
const patientMs = 30_000;
/** A reply that has not come by then does not come: with several sets of servers on a busy machine some take their time. */
const replyMs = 60_000;
/** Of the kernel's clock, as /proc counts: USER_HZ is 100 everywhere. */
const tickMs = 10;

/**
 * Clients that come in twos: one at the gate, one at a server of its own with the same users and data. Both are sent
 * the same, and must be told the same, byte for byte: one connection to one Redis is the model.
 */

export type Step =
  /** One client sends these lines in one write. */
  | { kind: 'ask'; who: number; lines: string[] }
  /** Several clients do that at the same time, with keys of their own: who is first must not matter. */
  | { kind: 'together'; asks: { who: number; lines: string[] }[] }
  /** One client leaves in the middle of whatever it is in, behind a line whose answer nobody compares. */
  | { kind: 'leave'; who: number; last: string }
  /** Every connection of the gate to its server is cut; what was watched changes. */
  | { kind: 'cut' }
  /** A user gets other rights: somebody says so at the members, or through the gate. */
  | { kind: 'rights'; change: string; through: boolean }
  /** The other member becomes the primary, as in a switchover; what was watched changes. */
  | { kind: 'primary' };

/** Clients of one history at most: so many have keys of their own. */
export const mostTwins = 16;

export const twinUsers = [
  'ACL SETUSER app on >app-pw ~* &* +@all -@admin',
  'ACL SETUSER narrow on >narrow-pw ~* &* +@all -select -@admin',
  'ACL SETUSER root on >root-pw ~* &* +@all',
];

/** Leaves a connection behind that no longer is what it was. */
export const spoilingLines = [
  'HELLO 2 AUTH root root-pw SETNAME "a b"',
  'HELLO 3 AUTH root root-pw NOSUCH',
  'SELECT 99',
  'AUTH root wrong',
  'MULTI',
  'WATCH k',
  'SUBSCRIBE a',
  'MONITOR',
  'BLPOP nothing 0',
  'PSUBSCRIBE p*',
  'SSUBSCRIBE s',
  'CLIENT TRACKING ON',
  'CLIENT REPLY OFF',
];

interface Twin {
  readonly gated: RawClient;
  readonly plain: RawClient;
  /** What the gate said last. */
  said: string;
}

/** A gate before two members, of which one is a replica of the other, and a server that is the model. */
export interface TwinServers {
  gate: GateProcess;
  members: [Server, Server];
  direct: Server;
}

/** The same with a connection to each server, for all that one after the other is tried there. */
export class TwinLinks {
  readonly gate: GateProcess;
  /** Waits longer than others do. */
  readonly control: GateControl;
  readonly connections: ConnectionsLink;
  readonly direct: AdminLink;
  readonly directPort: number;
  primary: Member;
  replica: Member;

  constructor({ gate, members, direct }: TwinServers) {
    this.gate = gate;
    this.control = new GateControl(gate.controlSocket, patientMs);
    this.connections = new ConnectionsLink(gate.controlSocket);
    this.direct = new AdminLink(direct.port);
    this.directPort = direct.port;
    [this.primary, this.replica] = members.map(({ port }) => ({ port, link: new AdminLink(port) })) as [
      Member,
      Member,
    ];
  }

  get all(): AdminLink[] {
    return [this.primary.link, this.replica.link, this.direct];
  }

  swap(): void {
    [this.primary, this.replica] = [this.replica, this.primary];
  }

  async close(): Promise<void> {
    this.connections.close();
    await Promise.all(this.all.map((link) => link.close()));
  }
}

interface Member {
  port: number;
  link: AdminLink;
}

export class Twins {
  readonly #links: TwinLinks;
  readonly #twins: (Twin | undefined)[] = [];
  #apart = false;
  /** Somebody's rights changed; connections were lost. In either order that may end who is in a transaction. */
  readonly #happened = new Set<'rights' | 'loss'>();

  constructor(links: TwinLinks) {
    this.#links = links;
  }

  /** Whether something happened that the gate is known not to hide. */
  get apart(): boolean {
    return this.#apart;
  }

  /** Brings the servers to where they begin. */
  async begin(): Promise<void> {
    const { primary, replica, direct } = this.#links;
    const users = twinUsers.map((line) => line.replace(' on ', ' reset on '));
    const markers = [0, 1, 9].flatMap((database) => [`SELECT ${database}`, `SET marker ${database}`]);
    const data = ['FLUSHALL', ...markers];
    await Promise.all([
      primary.link.tell(...users, ...data),
      direct.tell(...users, ...data),
      replica.link.tell(...users),
    ]);
  }

  /** Does one step; a sentence when the two were told different things, or a connection is not what the gate takes it for. */
  async do(step: Step): Promise<string | undefined> {
    return (await this.#do(step)) ?? (await this.#check());
  }

  /** A gate that gets no processor is late, and no fault of its own; one that is busy with itself is. */
  async #check(): Promise<string | undefined> {
    const { gate, connections, primary, replica } = this.#links;
    const [since, usedBefore] = [performance.now(), cpuMsOf(gate.process.pid)];
    const mistaken = await findMistaken(connections, [primary.link, replica.link]);
    const usedMs = cpuMsOf(gate.process.pid) - usedBefore;
    if (performance.now() - since < lateMs || usedMs < busyMs) return mistaken;
    return mistaken ?? `the gate worked for ${usedMs} ms before it said what its connections are`;
  }

  async #do(step: Step): Promise<string | undefined> {
    const { gate, primary, all } = this.#links;
    if (step.kind === 'rights') this.#happened.add('rights');
    else if (step.kind === 'cut' || step.kind === 'primary') this.#happened.add('loss');
    if (step.kind === 'cut') {
      await primary.link.tell('CLIENT KILL TYPE normal', 'CLIENT KILL TYPE pubsub');
      await this.#changeWatched();
      return undefined;
    }
    if (step.kind === 'primary') {
      await this.#changePrimary();
      await this.#changeWatched();
      return undefined;
    }
    if (step.kind === 'rights') {
      const line = `ACL SETUSER ${step.change}`;
      if (step.through) await tellOnce(gate.port, line);
      // Replication does not carry users over.
      await Promise.all(all.map((link) => link.tell(line)));
      return undefined;
    }
    if (step.kind === 'together') {
      const twins = await Promise.all(step.asks.map(({ who }) => this.#twin(who)));
      // In two pieces, so that what others send comes between.
      for (const half of [0, 1]) {
        for (const [at, { lines }] of step.asks.entries()) {
          const middle = Math.ceil(lines.length / 2);
          const piece = half === 0 ? lines.slice(0, middle) : lines.slice(middle);
          if (piece.length > 0) for (const each of bothOf(twins[at] as Twin)) each.sendAll(piece);
        }
      }
      const told = await Promise.all(step.asks.map(({ lines }, at) => this.#hear(twins[at] as Twin, lines)));
      return told.find((each) => each !== undefined);
    }
    const twin = await this.#twin(step.who);
    if (step.kind === 'leave') {
      for (const each of bothOf(twin)) each.send(step.last);
      this.#close(step.who);
      return undefined;
    }
    for (const each of bothOf(twin)) each.sendAll(step.lines);
    return this.#hear(twin, step.lines);
  }

  /** As an agent does it: nothing is written while the replica catches up, and everybody goes on at the new primary. */
  async #changePrimary(): Promise<void> {
    const { control, primary: from, replica: to } = this.#links;
    await control.hold({ reason: 'switchover', maxMs: 10_000 });
    await waitFor(async () => (await offsetOf(to.link)) === (await offsetOf(from.link)), {
      what: 'the replica to have everything',
      withinMs: 60_000,
      everyMs: 2,
    });
    await to.link.tell('REPLICAOF NO ONE');
    await from.link.tell(`REPLICAOF 127.0.0.1 ${to.port}`);
    await control.switch({ address: '127.0.0.1', port: to.port });
    this.#links.swap();
  }

  /** Newcomers of every kind, on connections that others had, are who they say they are, and nothing else. */
  async probe(): Promise<string | undefined> {
    const newcomers = [['default'], ['app', 'AUTH app app-pw']] as const;
    const found = await Promise.all(newcomers.map(([user, ...login]) => this.#newcomer(user, login)));
    return found.find((each) => each !== undefined);
  }

  async #newcomer(user: string, login: readonly string[]): Promise<string | undefined> {
    const raw = await RawClient.open(this.#links.gate.port);
    const lines = [...login, 'WATCH probe', 'ACL WHOAMI', 'GET marker', 'PING'];
    raw.sendAll(lines);
    const told = await Promise.all(lines.map((line) => raw.reply(line)));
    raw.close();
    const wanted = `$${user.length}\r\n${user}\r\n|$1\r\n0\r\n|+PONG\r\n`;
    return told.slice(-3).join('|') === wanted
      ? undefined
      : `a newcomer as ${user} was told ${JSON.stringify(told)}`;
  }

  close(): void {
    for (const who of this.#twins.keys()) this.#close(who);
  }

  async #hear(twin: Twin, lines: string[]): Promise<string | undefined> {
    const { gated, plain } = twin;
    for (const [index, line] of lines.entries()) {
      const got = comparable(await gated.reply(line, replyMs));
      const wanted = comparable(await plain.reply(line, replyMs));
      // A server may say that of the same request, and go on.
      const refused = got === '(closed)' && twin.said.startsWith('-NOPERM ');
      twin.said = got;
      if (got === wanted) continue;
      // As docs/gate.md says; from here on the two are no longer the same.
      const forbidden = this.#happened.size === 2 && (got.startsWith('-NOPERM ') || refused);
      if (got.includes('it is too long to be sent again') || forbidden) {
        this.#apart = true;
        return undefined;
      }
      return `${lines.slice(0, index + 1).join(' / ')}: the gate said ${JSON.stringify(got)}, a server ${JSON.stringify(wanted)}`;
    }
    return undefined;
  }

  async #twin(who: number): Promise<Twin> {
    const known = this.#twins[who];
    if (known !== undefined) return known;
    const { gate, directPort } = this.#links;
    const [gated, plain] = await Promise.all([RawClient.open(gate.port), RawClient.open(directPort)]);
    const twin = { gated, plain, said: '' };
    this.#twins[who] = twin;
    return twin;
  }

  #close(who: number): void {
    for (const each of bothOf(this.#twins[who])) each.close();
    this.#twins[who] = undefined;
  }

  async #changeWatched(): Promise<void> {
    const { primary, direct } = this.#links;
    const keys = ['k', ...Array.from({ length: mostTwins }, (_, who) => `k${who}`)];
    const change = `MSET ${keys.map((key) => `${key} changed`).join(' ')}`;
    const everywhere = [9, 1, 0].flatMap((database) => [`SELECT ${database}`, change]);
    await Promise.all([primary.link, direct].map((link) => link.tell(...everywhere)));
  }
}

function bothOf(twin: Twin | undefined): RawClient[] {
  return twin === undefined ? [] : [twin.gated, twin.plain];
}

async function tellOnce(port: number, line: string): Promise<void> {
  const link = new AdminLink(port);
  await link.tell(line);
  await link.close();
}

/** Of a primary what it wrote, of a replica what it has; null while its link is down. */
async function offsetOf(link: AdminLink): Promise<string | null> {
  const info = await link.ask('INFO replication');
  if (info.includes('role:master')) return /\nmaster_repl_offset:(\d+)/.exec(info)?.[1] ?? null;
  if (!info.includes('master_link_status:up')) return null;
  return /\nslave_repl_offset:(\d+)/.exec(info)?.[1] ?? null;
}

/** What a process has used of processors. */
function cpuMsOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** The number of a connection differs from one server to the next. */
function comparable(reply: string): string {
  return reply.replace(/(\$2\r\nid\r\n:)\d+/g, '$1N');
}
