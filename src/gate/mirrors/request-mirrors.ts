import type { Buffer } from 'node:buffer';
import type { Client, Copies } from '../client/client.ts';
import type { CommandTable } from '../commands/command-table.ts';
import type { GateConfig } from '../config.ts';
import type { RequestMirrorStatus } from '../control/control-api.ts';
import { isMirrorClient, RequestMirror } from './request-mirror.ts';

/** The mirrors of requests of a gate. None of it is there at a gate without them. */
export class RequestMirrors implements Copies {
  readonly #mirrors: ReadonlyMap<string, RequestMirror>;

  constructor({ mirrors }: GateConfig, table: CommandTable, log: (text: string) => void) {
    this.#mirrors = new Map(mirrors.map((each) => [each.id, new RequestMirror(each, table, log)]));
  }

  get any(): boolean {
    return this.#mirrors.size > 0;
  }

  take({ session }: Client, buf: Buffer, start: number, end: number): void {
    // Two gates that mirror each other would send it round for ever.
    if (isMirrorClient(session.name)) return;
    for (const mirror of this.#mirrors.values()) mirror.take(session.identity.database, buf, start, end);
  }

  skip({ session }: Client): void {
    if (isMirrorClient(session.name)) return;
    for (const mirror of this.#mirrors.values()) mirror.skip();
  }

  get statuses(): Record<string, RequestMirrorStatus> {
    return Object.fromEntries([...this.#mirrors].map(([id, mirror]) => [id, mirror.status]));
  }

  stop(): void {
    for (const mirror of this.#mirrors.values()) mirror.stop();
  }
}
