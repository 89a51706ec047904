/**
 * A member of `topology: mirror`, asked and told as one that replicates is: it is a standalone server, and what makes it follow
 * another one is a key in its data and a stream (lead-position.ts). So whoever decides need not know which of the two it is.
 */
import { RedisRefused } from '../redis/errors.ts';
import { type Info, parseInfo, replicationInfo } from '../redis/info.ts';
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

export class StandaloneClient extends MemberClient {
  override async info(section?: string): Promise<Info> {
    if (section !== undefined) return await super.info(section);
    const [text, keys, priority] = this.connection.askEach([
      ['INFO'],
      ['MGET', ...ownKeys],
      ['CONFIG', 'GET', 'replica-priority'],
    ]) as [Promise<Reply>, Promise<Reply>, Promise<Reply>];
    const [said, has, set] = await Promise.allSettled([text, keys, priority]);
    if (said.status === 'rejected') throw said.reason;
    const info = parseInfo(String(said.value));
    // One that loads tells nothing of its data: it may be a follower.
    if (has.status === 'rejected') return asReplica(info, ['', null, null], 0);
    const usual =
      set.status === 'fulfilled' && Array.isArray(set.value) ? Number(set.value[1]) : usualPriority;
    return asReplica(info, has.value as unknown as OwnKeys, usual);
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
    await this.connection.call('SET', leadKey, toFollow(primary));
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
    if (name !== 'replica-priority') return;
    if (value === '0') await this.connection.call('SET', heldBackKey, '1');
    else await this.connection.call('DEL', heldBackKey);
  }
}
