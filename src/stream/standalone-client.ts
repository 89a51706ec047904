/**
 * A member of `topology: mirror`, asked and told as one that replicates is: it is a standalone server, and what makes it follow
 * another one is a key in its data and a stream (lead-position.ts). So whoever decides need not know which of the two it is.
 */
import type { Address } from '../redis/endpoint.ts';
import { RedisRefused } from '../redis/errors.ts';
import { type Info, parseInfo, replicationInfo } from '../redis/info.ts';
import type { Request } from '../redis/link.ts';
import { MemberClient } from '../redis/member-client.ts';
import type { Role } from '../redis/role.ts';
import { helloChannel } from '../redis/sentinel-election.ts';
import type { Reply } from '../resp/read.ts';
import { asReplica, inSyncKey, leadKey, leadsKey, ownKeys, toFollow } from './lead-position.ts';

/** Redis's own default. */
const usualPriority = 100;

const endClients = ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'] as const;

/**
 * It follows from now on, and takes nothing more from whoever was connected before: it would execute that as if it led. Who
 * connects again finds that it does not lead. Our own connections, but for this one, are opened again too; a stream that
 * writes begins behind it. Who was in sync with the one before says nothing any more.
 */
function following(primary: Address): Request[] {
  return [['MULTI'], ['SET', leadKey, toFollow(primary)], ['DEL', inSyncKey], endClients, ['EXEC']];
}

export class StandaloneClient extends MemberClient {
  override async info(section?: string): Promise<Info> {
    if (section !== undefined) return await super.info(section);
    const [text, keys, setting] = this.connection.askEach([
      ['INFO'],
      ['MGET', ...ownKeys, inSyncKey],
      ['CONFIG', 'GET', 'replica-priority'],
    ]) as [Promise<Reply>, Promise<Reply>, Promise<Reply>];
    const [said, has, set] = await Promise.allSettled([text, keys, setting]);
    if (said.status === 'rejected') throw said.reason;
    const info = parseInfo(String(said.value));
    // One that loads tells nothing of its data: it may be a follower.
    if (has.status === 'rejected') return asReplica(info, ['', null], 0, null);
    const [lead = null, leads = null, inSync = null] = has.value as (string | null)[];
    const isSet = set.status === 'fulfilled' && Array.isArray(set.value);
    const priority = isSet ? Number((set.value as Reply[])[1]) : usualPriority;
    return asReplica(info, [lead, leads], priority, inSync);
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

  /**
   * It would execute what waited, and acknowledge it: whoever sent that loses the connection before, and so hears that
   * nobody knows.
   */
  override async unpauseReplaced(by: { address: string; port: number }): Promise<void> {
    await this.connection.askAll([endClients, ['CLIENT', 'UNPAUSE'], ...following(by)]);
  }

  /** Nobody logs in at another server by its settings. */
  override async following(): Promise<null> {
    return null;
  }

  /** Its stream connects by itself. */
  override async followAnew(): Promise<void> {}

  override async promote(hellos: readonly string[], inSync?: string | null): Promise<void> {
    const { run_id } = parseInfo(String(await this.connection.call('INFO', 'server')));
    const told = hellos.map((text) => ['PUBLISH', helloChannel, text] as const);
    const leads = ['SET', leadsKey, run_id ?? '-'] as const;
    const record: Request[] =
      inSync === undefined ? [] : [inSync === null ? ['DEL', inSyncKey] : ['SET', inSyncKey, inSync]];
    const requests: Request[] = [['MULTI'], ['DEL', leadKey], leads, ...record, ...told, ['EXEC']];
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
}

/**
 * Changes what the one that leads has of who is in sync, if that is what it was, and it leads still.
 * @throws REDIS_REFUSED when it is not; REDIS_UNREACHABLE, and then it may have been done
 */
export async function exchangeInSync(
  connection: Pick<MemberClient['connection'], 'askAll'>,
  before: string | null,
  after: string,
): Promise<void> {
  const [, found] = await connection.askAll([
    ['WATCH', leadKey, inSyncKey],
    ['MGET', leadKey, inSyncKey],
  ]);
  const [lead, inSync] = found as [string | null, string | null];
  if (lead !== null || inSync !== before) {
    await connection.askAll([['UNWATCH']]);
    throw RedisRefused(lead === null ? 'who is in sync was changed by somebody else' : 'it leads no more');
  }
  const replies = await connection.askAll([['MULTI'], ['SET', inSyncKey, after], ['EXEC']]);
  if (!Array.isArray(replies[2])) throw RedisRefused('who is in sync was changed by somebody else');
}
