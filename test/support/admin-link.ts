import { RawClient } from './raw-client.ts';

/**
 * One connection to one server that a test keeps for what it has to tell it and to ask. CLIENT KILL spares the one that
 * says it, so it goes on when every other one is cut through it.
 */
export class AdminLink {
  readonly port: number;
  #raw: Promise<RawClient> | undefined;

  constructor(port: number) {
    this.port = port;
  }

  /** Sends these lines in one write and returns their replies. @throws when one is refused. */
  async tell(...lines: string[]): Promise<string[]> {
    this.#raw ??= RawClient.open(this.port);
    const raw = await this.#raw;
    raw.sendAll(lines);
    const told = await Promise.all(lines.map((line) => raw.reply(line)));
    const refused = told.findIndex((answer) => answer.startsWith('-') || answer === '(closed)');
    if (refused >= 0) throw new Error(`${lines[refused]}: ${told[refused]}`);
    return told;
  }

  async ask(line: string): Promise<string> {
    return (await this.tell(line))[0] as string;
  }

  async close(): Promise<void> {
    (await this.#raw)?.close();
  }
}
