/**
 * Asks a server of our own whether it takes function libraries: what their code does when it is loaded only running it
 * tells. The server is started when the first one is asked about.
 */
import { refusalReply } from '../redis/errors.ts';
import { type ScratchOptions, ScratchServer } from './scratch-server.ts';

export class LibraryCheck {
  readonly #options: ScratchOptions;
  #server: ScratchServer | undefined;

  constructor(options: ScratchOptions) {
    this.#options = options;
  }

  /**
   * Why it does not take this library beside those that it took; undefined when it does.
   * @throws SCRATCH_SERVER_FAILED, REDIS_UNREACHABLE
   */
  readonly ask = async (code: Buffer): Promise<string | undefined> => {
    const { client } = this.#server ?? (await this.#start());
    try {
      await client.connection.call('FUNCTION', 'LOAD', code);
      return undefined;
    } catch (error) {
      const refusal = refusalReply(error);
      if (refusal === undefined) throw error;
      return refusal.text;
    }
  };

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  async #start(): Promise<ScratchServer> {
    this.#server = new ScratchServer(this.#options);
    await this.#server.start();
    // It follows nobody, and as a replica would take no library.
    await this.#server.client.replicaOf(null);
    return this.#server;
  }
}
