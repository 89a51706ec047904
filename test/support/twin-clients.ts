import type { GateProcess } from './gate-process.ts';
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
  /** A user gets other rights. */
  | { kind: 'rights'; change: string };

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
];

interface Twin {
  gated: RawClient;
  plain: RawClient;
}

export class Twins {
  readonly #gate: GateProcess;
  readonly #behind: Server;
  readonly #direct: Server;
  readonly #twins: (Twin | undefined)[] = [];

  constructor(gate: GateProcess, behind: Server, direct: Server) {
    this.#gate = gate;
    this.#behind = behind;
    this.#direct = direct;
  }

  /** Brings both servers to where they begin. */
  async begin(): Promise<void> {
    await this.#both('FLUSHALL');
    for (const line of twinUsers) await this.#both(line.replace(' on ', ' reset on '));
    for (const database of [0, 1, 9]) await this.#both(`SET marker ${database}`, database);
  }

  /** Does one step; a sentence when the two were told different things. */
  async do(step: Step): Promise<string | undefined> {
    if (step.kind === 'cut') {
      const admin = client(this.#behind.port);
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      admin.disconnect();
      await this.#both('SET k changed');
      return undefined;
    }
    if (step.kind === 'rights') {
      await this.#both(`ACL SETUSER ${step.change}`);
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

  /** Newcomers of every kind, on connections that others had, are who they say they are, and nothing else. */
  async probe(): Promise<string | undefined> {
    for (const [user, login] of [
      ['default', null],
      ['app', 'AUTH app app-pw'],
    ] as const) {
      const raw = await RawClient.open(this.#gate.port);
      const lines = [...(login === null ? [] : [login]), 'WATCH probe', 'ACL WHOAMI', 'GET marker', 'PING'];
      const told: string[] = [];
      for (const line of lines) told.push(await raw.ask(line));
      raw.close();
      const wanted = `$${user.length}\r\n${user}\r\n|$1\r\n0\r\n|+PONG\r\n`;
      if (told.slice(-3).join('|') !== wanted)
        return `a newcomer as ${user} was told ${JSON.stringify(told)}`;
    }
    return undefined;
  }

  close(): void {
    for (const who of this.#twins.keys()) this.#close(who);
  }

  async #ask({ gated, plain }: Twin, lines: string[]): Promise<string | undefined> {
    for (const each of [gated, plain]) for (const line of lines) each.send(line);
    for (const [index, line] of lines.entries()) {
      const [got, wanted] = [comparable(await gated.reply(line)), comparable(await plain.reply(line))];
      if (got === wanted) continue;
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

  async #both(line: string, database = 0): Promise<void> {
    for (const { port } of [this.#behind, this.#direct]) {
      const raw = await RawClient.open(port);
      await raw.ask(`SELECT ${database}`);
      const told = await raw.ask(line);
      raw.close();
      if (told.startsWith('-')) throw new Error(`${line}: ${told}`);
    }
  }
}

/** The number of a connection differs from one server to the next. */
function comparable(reply: string): string {
  return reply.replace(/(\$2\r\nid\r\n:)\d+/, '$1N');
}
