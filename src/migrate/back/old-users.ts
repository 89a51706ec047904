/** The users of the old side, on all of its servers that were closed (closed-users.ts): what opens them again, and leaves nothing of ours. */
import { errorText } from '../../base/errors.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { positionKey } from '../../stream/position.ts';
import { findSource, type SourceAddress } from '../../stream/source-address.ts';
import type { TargetPlace } from '../../stream/target-writer.ts';
import type { ClosedUsers, Where } from './closed-users.ts';

const askMs = 5000;

export class OldUsers {
  readonly closed: ClosedUsers;
  readonly #oldSide: SourceAddress;

  constructor(oldSide: SourceAddress, closed: ClosedUsers) {
    this.#oldSide = oldSide;
    this.closed = closed;
  }

  /** Whoever is primary of the old side now. @throws STREAM_SOURCE_NOT_READY, REDIS_UNREACHABLE */
  async primary(): Promise<{ place: TargetPlace; where: Where }> {
    const { address: host, port, credentials, tls } = await findSource(this.#oldSide);
    return { place: { endpoint: { host, port }, credentials, tls }, where: { host, port } };
  }

  /**
   * They may write again, if they could not.
   * @returns why those of a server may not still that is not the primary any more, for each
   * @throws REDIS_UNREACHABLE, REDIS_REFUSED for the primary
   */
  async unlock(): Promise<string[]> {
    return await this.#forEachServer((server, where) => this.closed.open(server, where));
  }

  /** Takes away how far the stream back is, while or after they are closed. @throws REDIS_UNREACHABLE, REDIS_REFUSED */
  async dropPosition(): Promise<void> {
    const saved = await this.closed.saved();
    if (saved === undefined) return;
    const { place, where } = await this.primary();
    await connected(place, (server) => this.closed.letUsIn(server, where));
    const own = { ...place, credentials: this.closed.credentials };
    await connected(own, async (server) => void (await server.call('DEL', positionKey(saved.id))));
  }

  /** Behind `dropPosition` and `unlock`: nothing of ours is left at the old side. @throws as `unlock` */
  async leave(): Promise<string[]> {
    const left = await this.#forEachServer((server, where) => this.closed.leave(server, where));
    await this.closed.forget();
    return left;
  }

  /** All three, one after the other. @returns and @throws as `unlock` */
  async giveBack(): Promise<string[]> {
    await this.dropPosition();
    const left = await this.unlock();
    return [...new Set([...left, ...(await this.leave())])];
  }

  async #forEachServer(work: (server: RedisConnection, where: Where) => Promise<void>): Promise<string[]> {
    const { credentials, tls } = this.#oldSide;
    const saved = await this.closed.saved();
    if (saved === undefined) return [];
    const { where: primary } = await this.primary();
    const left: string[] = [];
    for (const { host, port } of saved.servers) {
      const place = { endpoint: { host, port }, credentials, tls };
      await connected(place, (server) => work(server, { host, port })).catch((error: unknown) => {
        if (host === primary.host && port === primary.port) throw error;
        left.push(`the users of ${host}:${port} may not write: ${errorText(error)}`);
      });
    }
    return left;
  }
}

export async function connected<T>(
  place: TargetPlace,
  work: (server: RedisConnection) => Promise<T>,
): Promise<T> {
  const connection = new RedisConnection({ ...place, timeoutMs: askMs });
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}
