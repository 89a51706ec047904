/**
 * A member of `topology: mirror`, asked and told as one that replicates is: it is a standalone server, and what makes it follow
 * another one is a key in its data and a stream (lead-position.ts). So whoever decides need not know which of the two it is.
 */

import type { ConnectionOptions } from '../redis/connection.ts';
import type { Address } from '../redis/endpoint.ts';
import { RedisRefused, refusalKind } from '../redis/errors.ts';
import { type Info, parseInfo, replicationInfo } from '../redis/info.ts';
import type { Request } from '../redis/link.ts';
import { MemberClient, type Promotion } from '../redis/member-client.ts';
import type { Role } from '../redis/role.ts';
import { helloChannel } from '../redis/sentinel-election.ts';
import type { Reply } from '../resp/read.ts';
import { MemberToldLater } from './errors.ts';
import {
  asReplica,
  epochOf,
  fencedAt,
  inSyncKey,
  type LeadRun,
  leadKey,
  leadsKey,
  noRun,
  type OwnKeys,
  ownKeys,
  readPosition,
  readRun,
  releasedAt,
  toFollow,
  toLead,
} from './lead-position.ts';

/** Redis's own default. */
const usualPriority = 100;

const endClients = ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'] as const;

/**
 * It follows from now on, and takes nothing more from whoever was connected before: it would execute that as if it led. Who
 * connects again finds that it does not lead. Our own connections, but for this one, are opened again too; a stream that
 * writes begins behind it. Who was in sync with the one before says nothing any more.
 */
function following(primary: Address, epoch: number): Request[] {
  return [['MULTI'], ['SET', leadKey, toFollow(primary, epoch)], ['DEL', inSyncKey], endClients, ['EXEC']];
}

/** Its stream sets its place with each write, and may be back before it is told. */
const attempts = 20;

export class StandaloneClient extends MemberClient {
  /** As whom streams write: who only asks needs none. */
  readonly #streamUser: string;
  readonly #self: Address | undefined;
  /** One word at a time: what one watches is over with the EXEC of another. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param self where others know it */
  constructor(options: ConnectionOptions, streamUser = '', self?: Address) {
    super(options);
    this.#streamUser = streamUser;
    this.#self = self;
  }

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
    // One that loads tells nothing of its data, and one that somebody made a replica has another one's: it may be a follower.
    if (has.status === 'rejected' || replicationInfo(info).role === 'replica')
      return asReplica(info, ['', null], 0, null);
    const [lead = null, leads = null, inSync = null] = has.value as (string | null)[];
    const isSet = set.status === 'fulfilled' && Array.isArray(set.value);
    const priority = isSet ? Number((set.value as Reply[])[1]) : usualPriority;
    // One that was a replica by hand has what its follower says of itself: it leads, once its agent has told it so.
    const followsItself = this.#self !== undefined && isOf(runOf(lead), this.#self);
    const own: OwnKeys = followsItself ? [null, toLead(noRun, epochOf([lead, leads]))] : [lead, leads];
    return asReplica(info, own, priority, inSync);
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

  /**
   * It follows from now on, which is its stream's to do; or nobody. One that follows that one already goes on.
   * @param epoch in which it is to be so: a word of an earlier one is none. That of the word that it has, if omitted
   */
  override async replicaOf(primary: Address | null, epoch?: number): Promise<void> {
    const [text] = (await this.connection.call('MGET', ...ownKeys)) as OwnKeys;
    // One that led before it was started again leads, also when the Sentinels have lost their epoch with their files.
    if (primary === null) return await this.promote([], { epoch: text === null ? undefined : epoch });
    const before = runOf(text);
    if (isOf(before, primary) && !before?.fenced) return;
    await this.#tell(epoch, ([text], inEpoch) => {
      const released = text !== null && isOf(runOf(text), primary) ? releasedAt(text, inEpoch) : undefined;
      if (released === undefined) return following(primary, inEpoch);
      return [['MULTI'], ['SET', leadKey, released], ['EXEC']];
    });
  }

  override async fence(epoch: number): Promise<void> {
    await this.#tell(epoch, ([text]) => {
      const fenced = text === null ? undefined : fencedAt(text, epoch);
      if (fenced === undefined) throw RedisRefused('it follows nobody');
      return [['MULTI'], ['SET', leadKey, fenced], ['EXEC']];
    });
  }

  /**
   * Has it do what follows from what it says of itself, as long as it says that, and nothing if it was told otherwise in a
   * later epoch. Its stream is hung up on first. @throws MEMBER_TOLD_LATER; REDIS_REFUSED, REDIS_UNREACHABLE
   */
  async #tell(
    epoch: number | undefined,
    requests: (own: OwnKeys, epoch: number) => Request[],
  ): Promise<void> {
    const tell = async () => {
      for (let attempt = 0; attempt < attempts; attempt++) if (await this.#tellOnce(epoch, requests)) return;
      throw RedisRefused(`it was told otherwise at the same moment, ${attempts} times`);
    };
    const done = this.#last.then(tell, tell);
    this.#last = done.catch(() => {});
    await done;
  }

  /** @returns false when it changed what it says of itself meanwhile */
  async #tellOnce(
    epoch: number | undefined,
    requests: (own: OwnKeys, epoch: number) => Request[],
  ): Promise<boolean> {
    const replies = await this.connection.askAll([
      ['CLIENT', 'KILL', 'USER', this.#streamUser],
      ['WATCH', ...ownKeys],
      ['MGET', ...ownKeys],
    ]);
    const own = replies[2] as unknown as OwnKeys;
    const known = epochOf(own);
    if (epoch !== undefined && epoch < known) {
      await this.connection.askAll([['UNWATCH']]);
      const text = `it was told in epoch ${known} who leads: a word of epoch ${epoch} comes too late`;
      throw MemberToldLater(text, { hint: 'Nothing is to be done: the Sentinels say who leads.' });
    }
    try {
      return Array.isArray((await this.connection.askAll(requests(own, epoch ?? known))).at(-1));
    } catch (error) {
      if (refusalKind(error) !== 'READONLY') throw error;
      const text =
        'somebody made it a replica of another server: REPLICAOF NO ONE there ends that, and it is copied anew';
      throw RedisRefused(text, { cause: error });
    }
  }

  /**
   * It would execute what waited, and acknowledge it: whoever sent that loses the connection before, and so hears that
   * nobody knows.
   */
  override async unpauseReplaced(by: Address, epoch?: number): Promise<void> {
    await this.#tell(epoch, (_own, inEpoch) => [
      endClients,
      ['CLIENT', 'UNPAUSE'],
      ...following(by, inEpoch),
    ]);
  }

  /** Nobody logs in at another server by its settings. */
  override async following(): Promise<null> {
    return null;
  }

  /** Its stream connects by itself. */
  override async followAnew(): Promise<void> {}

  override async promote(hellos: readonly string[], { inSync, epoch }: Promotion = {}): Promise<void> {
    const told = hellos.map((text) => ['PUBLISH', helloChannel, text] as const);
    const record: Request[] =
      inSync === undefined ? [] : [inSync === null ? ['DEL', inSyncKey] : ['SET', inSyncKey, inSync]];
    const { run_id } = parseInfo(String(await this.connection.call('INFO', 'server')));
    await this.#tell(epoch, (_own, inEpoch) => {
      const leads = ['SET', leadsKey, toLead(run_id ?? noRun, inEpoch)] as const;
      return [['MULTI'], ['DEL', leadKey], leads, ...record, ...told, ['EXEC']];
    });
  }
}

function runOf(text: string | null): LeadRun | undefined {
  return text === null ? undefined : readRun(readPosition(text)?.run ?? '');
}

function isOf(run: LeadRun | undefined, { address, port }: Address): boolean {
  return run?.of.address === address && run.of.port === port;
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
