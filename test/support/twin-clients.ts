import { waitFor } from '../../src/base/retry.ts';
import type { GateProcess } from './gate-process.ts';
import { findMistaken } from './mistaken-connections.ts';
import { RawClient } from './raw-client.ts';
import { client, type Server } from './redis-processes.ts';

/**
 * Clients that come in twos: one at the gate, one at a server of its own with the same users and data. Both are sent
 * the same, and must be told the same, byte for byte: one connection to one Redis is the model.
 */

export type Step =
  /** One client sends these lines in one write. */
  | { kind: 'ask'; who: number; lines: string[] }
  /** One client leaves in the middle of whatever it is in, behind a line whose answer nobody compares. */
  | { kind: 'leave'; who: number; last: string }
  /** Every connection of the gate to its server is cut; what was watched changes. */
  | { kind: 'cut' }
  /** A user gets other rights: somebody says so at the members, or through the gate. */
  | { kind: 'rights'; change: string; through: boolean }
  /** The other member becomes the primary, as in a switchover; what was watched changes. */
  | { kind: 'primary' };

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
  gated: RawClient;
  plain: RawClient;
}

/** A gate before two members, of which one is a replica of the other, and a server that is the model. */
export interface TwinServers {
  gate: GateProcess;
  members: [Server, Server];
  direct: Server;
}

export class Twins {
  readonly #gate: GateProcess;
  readonly #direct: Server;
  readonly #twins: (Twin | undefined)[] = [];
  #primary: Server;
  #apart = false;
  #replica: Server;

  /** @param primary which of the members is the primary now */
  constructor({ gate, members, direct }: TwinServers, primary: Server = members[0]) {
    this.#gate = gate;
    this.#direct = direct;
    this.#primary = primary;
    this.#replica = members[primary === members[0] ? 1 : 0];
  }

  /** Whether something happened that the gate is known not to hide. */
  get apart(): boolean {
    return this.#apart;
  }

  get primary(): Server {
    return this.#primary;
  }

  /** Brings the servers to where they begin. */
  async begin(): Promise<void> {
    const users = twinUsers.map((line) => line.replace(' on ', ' reset on '));
    const markers = [0, 1, 9].flatMap((database) => [`SELECT ${database}`, `SET marker ${database}`]);
    const data = ['FLUSHALL', ...markers];
    await Promise.all([
      tell(this.#primary.port, ...users, ...data),
      tell(this.#direct.port, ...users, ...data),
      tell(this.#replica.port, ...users),
    ]);
  }

  /** Does one step; a sentence when the two were told different things, or a connection is not what the gate takes it for. */
  async do(step: Step): Promise<string | undefined> {
    return (await this.#do(step)) ?? (await findMistaken(this.#gate, [this.#primary, this.#replica]));
  }

  async #do(step: Step): Promise<string | undefined> {
    if (step.kind === 'cut') {
      const admin = client(this.#primary.port);
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      admin.disconnect();
      await this.#both('SET k changed');
      return undefined;
    }
    if (step.kind === 'primary') {
      await this.#changePrimary();
      await this.#both('SET k changed');
      return undefined;
    }
    if (step.kind === 'rights') {
      if (step.through) await tell(this.#gate.port, `ACL SETUSER ${step.change}`);
      await this.#everywhere(`ACL SETUSER ${step.change}`);
      return undefined;
    }
    const twin = await this.#twin(step.who);
    if (step.kind === 'leave') {
      for (const each of [twin.gated, twin.plain]) each.send(step.last);
      this.#close(step.who);
      return undefined;
    }
    return this.#ask(twin, step.lines);
  }

  /** As an agent does it: nothing is written while the replica catches up, and everybody goes on at the new primary. */
  async #changePrimary(): Promise<void> {
    const [from, to] = [this.#primary, this.#replica];
    const { control } = this.#gate;
    await control.hold({ reason: 'switchover', maxMs: 10_000 });
    await waitFor(async () => (await offsetOf(to.port)) === (await offsetOf(from.port)), {
      what: 'the replica to have everything',
      withinMs: 10_000,
    });
    await tell(to.port, 'REPLICAOF NO ONE');
    await tell(from.port, `REPLICAOF 127.0.0.1 ${to.port}`);
    await control.switch({ address: '127.0.0.1', port: to.port });
    [this.#primary, this.#replica] = [to, from];
  }

  /** Newcomers of every kind, on connections that others had, are who they say they are, and nothing else. */
  async probe(): Promise<string | undefined> {
    const newcomers = [['default'], ['app', 'AUTH app app-pw']] as const;
    const found = await Promise.all(newcomers.map(([user, ...login]) => this.#newcomer(user, login)));
    return found.find((each) => each !== undefined);
  }

  async #newcomer(user: string, login: readonly string[]): Promise<string | undefined> {
    const raw = await RawClient.open(this.#gate.port);
    const told: string[] = [];
    for (const line of [...login, 'WATCH probe', 'ACL WHOAMI', 'GET marker', 'PING'])
      told.push(await raw.ask(line));
    raw.close();
    const wanted = `$${user.length}\r\n${user}\r\n|$1\r\n0\r\n|+PONG\r\n`;
    return told.slice(-3).join('|') === wanted
      ? undefined
      : `a newcomer as ${user} was told ${JSON.stringify(told)}`;
  }

  close(): void {
    for (const who of this.#twins.keys()) this.#close(who);
  }

  async #ask({ gated, plain }: Twin, lines: string[]): Promise<string | undefined> {
    for (const each of [gated, plain]) for (const line of lines) each.send(line);
    for (const [index, line] of lines.entries()) {
      const [got, wanted] = [comparable(await gated.reply(line)), comparable(await plain.reply(line))];
      if (got === wanted) continue;
      // As docs/gate.md says; from here on the two are no longer the same.
      if (got.includes('it is too long to be sent again')) {
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
    const twin = {
      gated: await RawClient.open(this.#gate.port),
      plain: await RawClient.open(this.#direct.port),
    };
    this.#twins[who] = twin;
    return twin;
  }

  #close(who: number): void {
    this.#twins[who]?.gated.close();
    this.#twins[who]?.plain.close();
    this.#twins[who] = undefined;
  }

  async #both(line: string): Promise<void> {
    await Promise.all([this.#primary, this.#direct].map(({ port }) => tell(port, line)));
  }

  /** What replication does not carry over, as users. */
  async #everywhere(line: string): Promise<void> {
    await Promise.all([this.#primary, this.#replica, this.#direct].map(({ port }) => tell(port, line)));
  }
}

async function tell(port: number, ...lines: string[]): Promise<void> {
  const raw = await RawClient.open(port);
  for (const line of lines) raw.send(line);
  const told = await Promise.all(lines.map((line) => raw.reply(line)));
  raw.close();
  const refused = told.findIndex((answer) => answer.startsWith('-'));
  if (refused >= 0) throw new Error(`${lines[refused]}: ${told[refused]}`);
}

/** Of a primary what it wrote, of a replica what it has; null while its link is down. */
async function offsetOf(port: number): Promise<string | null> {
  const raw = await RawClient.open(port);
  const info = await raw.ask('INFO replication');
  raw.close();
  if (info.includes('role:master')) return /\nmaster_repl_offset:(\d+)/.exec(info)?.[1] ?? null;
  if (!info.includes('master_link_status:up')) return null;
  return /\nslave_repl_offset:(\d+)/.exec(info)?.[1] ?? null;
}

/** The number of a connection differs from one server to the next. */
function comparable(reply: string): string {
  return reply.replace(/(\$2\r\nid\r\n:)\d+/g, '$1N');
}
