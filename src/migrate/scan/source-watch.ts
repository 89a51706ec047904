/** Whether those that a source is read from are still its primaries, with the history that they had. */
import type { ConnectionOptions } from '../../redis/connection.ts';
import { StreamSourceNotReady } from '../../stream/errors.ts';
import { findSource, type SourceAddress } from '../../stream/source-address.ts';
import { anyChanged, ServerHistory } from './server-history.ts';

export class SourceWatch {
  readonly #source: SourceAddress;
  /** Where it was found. */
  readonly #at: string;
  readonly #histories: readonly ServerHistory[];

  /** @param primaries all servers that are read */
  constructor(
    source: SourceAddress,
    at: { address: string; port: number },
    primaries: readonly ConnectionOptions[],
  ) {
    this.#source = source;
    this.#at = `${at.address}:${at.port}`;
    this.#histories = primaries.map((each) => new ServerHistory(each));
  }

  /**
   * What is read from here on counts only if this returns later, too.
   * @throws STREAM_SOURCE_NOT_READY where another server is to be read, or all of this one again; REDIS_UNREACHABLE,
   * REDIS_REFUSED
   */
  async check(): Promise<void> {
    const { address, port } = await findSource(this.#source);
    const now = `${address}:${port}`;
    if (now !== this.#at) throw StreamSourceNotReady(`${now} is primary now, instead of ${this.#at}`);
    if (!(await anyChanged(this.#histories))) return;
    throw StreamSourceNotReady(`${this.#at} was started anew, or follows another server`, {
      hint: 'It is looked for, and read again.',
    });
  }

  close(): void {
    for (const each of this.#histories) each.close();
  }
}
