/**
 * A member of `topology: mirror`, asked and told as one that replicates is: it is a standalone server, and what makes it follow
 * another one is a key in its data and a stream (lead-position.ts). So whoever decides need not know which of the two it is.
 */
import type { ConnectionOptions } from '../redis/connection.ts';
import type { Address } from '../redis/endpoint.ts';
import { RedisRefused } from '../redis/errors.ts';
import { type Info, parseInfo, replicationInfo } from '../redis/info.ts';
import type { Request } from '../redis/link.ts';
import { MemberClient } from '../redis/member-client.ts';
import type { Role } from '../redis/role.ts';
import { helloChannel } from '../redis/sentinel-election.ts';
import type { Reply } from '../resp/read.ts';
import {
  asReplica,
  heldBackKey,
  leadKey,
  leadsKey,
  type OwnKeys,
  ownKeys,
  toFollow,
} from './lead-position.ts';

/** Redis's own default. */
const usualPriority = 100;

const endClients = ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'] as const;

/**
 * It follows from now on, and takes nothing more from whoever was connected before: it would execute that as if it led. Who
 * connects again finds that it does not lead. Our own connections, but for this one, are opened again too; a stream that writes begins behind it.
 */
function following(primary: Address): Request[] {
  return [['MULTI'], ['SET', leadKey, toFollow(primary)], endClients, ['EXEC']];
}

export class StandaloneClient extends MemberClient {
  readonly #tellsGates: boolean;

  /** @param tellsGates as the agent: what its data say of its priority is kept right whenever it is asked for INFO */
  constructor(options: ConnectionOptions, { tellsGates = false } = {}) {
    super(options);
    this.#tellsGates = tellsGates;
  }

  override async info(section?: string): Promise<Info> {
    if (section !== undefined) return await super.info(section);
    const [text, keys, setting] = this.connection.askEach([
      ['INFO'],
      ['MGET', ...ownKeys],
      ['CONFIG', 'GET', 'replica-priority'],
    ]) as [Promise<Reply>, Promise<Reply>, Promise<Reply>];
    const [said, has, set] = await Promise.allSettled([text, keys, setting]);
    if (said.status === 'rejected') throw said.reason;
    const info = parseInfo(String(said.value));
    // One that loads tells nothing of its data: it may be a follower.
    if (has.status === 'rejected') return asReplica(info, ['', null, null], 0);
    const own = has.value as unknown as OwnKeys;
    const isSet = set.status === 'fulfilled' && Array.isArray(set.value);
    const priority = isSet ? Number((set.value as Reply[])[1]) : usualPriority;
    // It began with that priority, or a FLUSHALL that it got from its lead removed the key.
    if (isSet && this.#tellsGates && own[0] !== null && (priority === 0) !== (own[1] !== null))
      this.#tellHeldBack(priority === 0).catch(() => {});
    return asReplica(info, own, priority);
  }

  override async role(): Promise<Role> {
    const { role, offset, primaryAddress, primaryPort, linkUp, syncing, replicas } = replicationInfo(
      await this.info(),
    );
    if (role === 'primary')
      return {
        role,
        offset,
        replicas: replicas
          .filter(({ online }) => online)
          .map(({ address, port, offset: has }) => ({ address, port, offset: has })),
      };
    return {
      role,
      primaryAddress: primaryAddress ?? '?',
      primaryPort: primaryPort ?? 0,
      link: linkUp ? 'connected' : syncing ? 'sync' : 'connecting',
      offset,
    };
  }

  /** It follows from now on, which is its stream's to do; or nobody. One that follows that one already goes on. */
  override async replicaOf(primary: { address: string; port: number } | null): Promise<void> {
    if (primary === null) return await this.promote([]);
    const { role, primaryAddress, primaryPort } = replicationInfo(await this.info());
    if (role === 'replica' && primaryAddress === primary.address && primaryPort === primary.port) return;
    await this.connection.askAll(following(primary));
  }

  /** It would execute what waited, and acknowledge it: whoever sent that loses the connection before, and so hears that nobody knows. */
  override async unpauseReplaced(by: { address: string; port: number }): Promise<void> {
    await this.connection.askAll([endClients, ['CLIENT', 'UNPAUSE'], ...following(by)]);
  }

  /** Nobody logs in at another server by its settings. */
  override async following(): Promise<null> {
    return null;
  }

  /** Its stream connects by itself. */
  override async followAnew(): Promise<void> {}

  override async promote(hellos: readonly string[]): Promise<void> {
    const { run_id } = parseInfo(String(await this.connection.call('INFO', 'server')));
    const told = hellos.map((text) => ['PUBLISH', helloChannel, text] as const);
    const leads = ['SET', leadsKey, run_id ?? '-'] as const;
    const requests = [['MULTI'], ['DEL', leadKey, heldBackKey], leads, ...told, ['EXEC']] as const;
    const replies = await Promise.allSettled(this.connection.askEach(requests));
    const done = replies.pop();
    if (done?.status === 'fulfilled') {
      if (Array.isArray(done.value)) return;
      throw RedisRefused('it answered EXEC with nothing');
    }
    throw (
      (replies.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined)?.reason ??
      done?.reason
    );
  }

  override async setConfig(name: string, value: string): Promise<void> {
    await super.setConfig(name, value);
    if (name === 'replica-priority') await this.#tellHeldBack(value === '0');
  }

  /** Gates may not read settings. */
  async #tellHeldBack(isHeldBack: boolean): Promise<void> {
    if (isHeldBack) await this.connection.call('SET', heldBackKey, '1');
    else await this.connection.call('DEL', heldBackKey);
  }
}
