import { type Reply, ReplyError } from '../resp/read.ts';
import { type ConnectionOptions, RedisConnection } from './connection.ts';
import { RedisRefused, refusalKind, refusalReply } from './errors.ts';
import { type Info, parseInfo } from './info.ts';
import { parseRole, type Role } from './role.ts';
import { helloChannel } from './sentinel-election.ts';

/** What a standalone server says of itself from then on. */
export interface Promotion {
  /** Who is in sync with it; null for nothing, undefined leaves that. */
  inSync?: string | null | undefined;
  /** Of the votes by which it leads: it refuses when it was told otherwise in a later one. */
  epoch?: number | undefined;
}

/** What holdfast asks of a redis-server. */
export class MemberClient {
  readonly connection: RedisConnection;

  constructor(options: ConnectionOptions) {
    this.connection = new RedisConnection(options);
  }

  /** @param section one section's name, or nothing for the default ones. */
  async info(section?: string): Promise<Info> {
    const args = section === undefined ? [] : [section];
    return parseInfo(String(await this.connection.call('INFO', ...args)));
  }

  async role(): Promise<Role> {
    return knownRole(await this.connection.call('ROLE'));
  }

  /**
   * Makes it a replica of another server, or a primary with null.
   * @param _epoch of the votes by which that one leads: a standalone server refuses when it was told otherwise in a later one
   */
  async replicaOf(primary: { address: string; port: number } | null, _epoch?: number): Promise<void> {
    if (primary === null) await this.connection.call('REPLICAOF', 'NO', 'ONE');
    else await this.connection.call('REPLICAOF', primary.address, primary.port);
  }

  /**
   * With what it logs in at a primary, and what it says to being told to follow one; null when it would do that. Port `?` is none,
   * so that nothing changes (replicaofCommand in replication.c), and who may not say it is turned down as for any other. The whole is null for
   * a server that needs no such thing.
   */
  async following(): Promise<{ user: string; password: string; refusal: string | null } | null> {
    const [user, password, told] = this.connection.askEach([
      ['CONFIG', 'GET', 'masteruser'],
      ['CONFIG', 'GET', 'masterauth'],
      ['REPLICAOF', '127.0.0.1', '?'],
    ]) as [Promise<Reply>, Promise<Reply>, Promise<Reply>];
    const refused = told.then(
      () => null,
      (error) => (refusalKind(error) === 'NOPERM' ? (refusalReply(error)?.text ?? 'NOPERM') : null),
    );
    const [users, passwords, refusal] = await Promise.all([user, password, refused]);
    const second = (pair: Reply) => (Array.isArray(pair) ? String(pair[1] ?? '') : '');
    return { user: second(users), password: second(passwords), refusal };
  }

  /** Makes a replica connect anew to its primary, though it follows it already. @param other another server than that. */
  async followAnew(
    primary: { address: string; port: number },
    other: { address: string; port: number },
  ): Promise<void> {
    await this.connection.askAll([
      ['REPLICAOF', other.address, other.port],
      ['REPLICAOF', primary.address, primary.port],
    ]);
  }

  /**
   * Makes it a primary, and has it tell the Sentinels so: in one transaction, so that it does both or neither.
   * @param hellos the messages: topology/election/turn.ts
   * @throws REDIS_REFUSED, with what it answered to the command that it refused, and then it has done nothing
   */
  async promote(hellos: readonly string[], _promotion?: Promotion): Promise<void> {
    const told = hellos.map((text) => ['PUBLISH', helloChannel, text] as const);
    const requests = [['MULTI'], ['REPLICAOF', 'NO', 'ONE'], ...told, ['EXEC']] as const;
    const replies = await Promise.allSettled(this.connection.askEach(requests));
    const [begun, promoted, ...rest] = replies;
    const done = rest.pop();
    // A user that has its rights from an earlier version may not MULTI: then each command was carried out by itself.
    const decisive = begun?.status === 'rejected' ? promoted : done;
    if (decisive?.status !== 'fulfilled') {
      const refused = [promoted, ...rest].find((reply) => reply?.status === 'rejected') ?? decisive;
      throw refused?.reason;
    }
    const [carriedOut] = Array.isArray(decisive.value) ? decisive.value : [];
    if (carriedOut instanceof ReplyError)
      throw RedisRefused(`it answered REPLICAOF with: ${carriedOut.text}`, { cause: carriedOut });
  }

  /** Blocks writes of clients for at most `forMs`; reads and the replication go on. */
  async pauseWrites(forMs: number): Promise<void> {
    await this.connection.call('CLIENT', 'PAUSE', forMs, 'WRITE');
  }

  /** The same, and what it is once no more write can come: in one write, so that nothing comes between the two. */
  async roleInPause(forMs: number): Promise<Role> {
    const [, role] = await this.connection.askAll([['CLIENT', 'PAUSE', forMs, 'WRITE'], ['ROLE']]);
    return knownRole(role);
  }

  async unpauseWrites(): Promise<void> {
    await this.connection.call('CLIENT', 'UNPAUSE');
  }

  /**
   * The same at one that another has replaced, which follows that one from now on: what waited in the pause is not executed.
   * A replica refuses it.
   */
  async unpauseReplaced(_by: { address: string; port: number }, _epoch?: number): Promise<void> {
    await this.unpauseWrites();
  }

  /**
   * Has a standalone server take nothing more from the one that it follows, until it is told whom to follow in this epoch or a
   * later one. @throws as `replicaOf`
   */
  async fence(_epoch: number): Promise<void> {}

  async getConfig(...names: string[]): Promise<Record<string, string>> {
    // One name a call: CONFIG GET takes several only since 7.0.
    const found: Record<string, string> = {};
    for (const name of names) {
      const reply = (await this.connection.call('CONFIG', 'GET', name)) as string[];
      for (let i = 0; i + 1 < reply.length; i += 2) found[reply[i] as string] = reply[i + 1] as string;
    }
    return found;
  }

  async setConfig(name: string, value: string): Promise<void> {
    await this.connection.call('CONFIG', 'SET', name, value);
  }

  /** Writes what CONFIG SET changed to redis.conf, so that it survives a restart. */
  async rewriteConfig(): Promise<void> {
    await this.connection.call('CONFIG', 'REWRITE');
  }

  close(): void {
    this.connection.close();
  }
}

function knownRole(reply: unknown): Role {
  const role = parseRole(reply);
  if (role === null) throw RedisRefused('ROLE was answered with something else');
  return role;
}
