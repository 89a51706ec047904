import type { Client, Copies } from '../client/client.ts';
import type { CommandTable } from '../commands/command-table.ts';
import type { GateConfig } from '../config.ts';
import type { RequestMirrorStatus } from '../control/control-api.ts';
import type { Run } from '../upstream/run.ts';
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

  take({ session }: Client, run: Run): void {
    // Two gates that mirror each other would send it round for ever.
    if (isMirrorClient(session.name)) return;
    for (const mirror of this.#mirrors.values()) mirror.take(session.identity.database, run);
  }

  skip({ session }: Client, requests: number): void {
    if (isMirrorClient(session.name)) return;
    for (const mirror of this.#mirrors.values()) mirror.skip(requests);
  }

  get statuses(): Record<string, RequestMirrorStatus> {
    return Object.fromEntries([...this.#mirrors].map(([id, mirror]) => [id, mirror.status]));
  }

  stop(): void {
    for (const mirror of this.#mirrors.values()) mirror.stop();
  }
}
