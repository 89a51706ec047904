import { errorText } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import { parseInfo, replicationInfo } from '../../redis/info.ts';
import type { Link } from '../../redis/link.ts';
import { parseRole, type Role } from '../../redis/role.ts';
import type { GateConfig, MemberAddress } from '../config.ts';
import type { Membership } from '../primary/members.ts';
import { Trouble } from '../trouble.ts';
import { lacking, type Reign } from './acknowledged.ts';
import {
  type Eligibility,
  haveReached,
  type InSync,
  type InSyncEvent,
  type InSyncStep,
  initialInSync,
  stepInSync,
} from './in-sync.ts';
import { hasInherited } from './inheritance.ts';
import { openLink } from './open-link.ts';
import { RecordedSet } from './recorded-set.ts';
import { firstLookMs, longestLookMs, tooMany } from './short-look.ts';

/**
 * `durability: replicated`: a write's answer goes out only when every replica that could be promoted has the write. Which
 * those are is decided in in-sync.ts; of standalone members it stands in the primary's data (recorded-set.ts).
 *
 * - Answers are confirmed in batches: ROLE, WAIT, ROLE, in one go on a connection of the gate's own. The first ROLE
 *   gives the offset to reach, and the second one shows which replica has acknowledged how much: only that counts.
 * - WAIT is there so that the second ROLE comes when there is something to see. Up to Redis 7.0 it waits for all that
 *   was written before the command that came before it, by anybody. From 7.2 on, and in Valkey, it waits for what its
 *   own connection wrote (`woff` in server.c), which is nothing: it answers at once, and nobody is asked for an
 *   acknowledgement, which replicas otherwise send once a second. There the gate waits for more replicas than there can be:
 *   that has the primary ask all of them, and ends after some milliseconds.
 * - Only the primary's own answers are confirmed, and by its own replicas. What a former one has answered is confirmed once
 *   its successor is known to have all that it ever executed, and then as if the successor had executed it: inheritance.ts. So
 *   a switchover costs no error, though it stops WAIT, too. What a former one says late, which was away for longer than it
 *   took to replace it, was executed by nobody else.
 * - One batch is under way at a time; what comes meanwhile goes into the next.
 * - What can't be confirmed within `holdMs` is not acknowledged: its connection is given up, and its writes are
 *   answered with UNCERTAIN.
 */

export interface DurabilitySources {
  members: Membership;
  primary(): MemberAddress | null;
  /** Who was primary before; null when nobody was. */
  replaced(): MemberAddress | null;
  /** How often the primary was changed. */
  switches(): number;
  /** How many Sentinels make one. */
  majority(): number;
  eligibility(): Promise<Eligibility>;
  /** A primary lacks what the one before acknowledged. */
  onLossySwitch(): void;
  log(text: string): void;
}

const waitMs = 500;
/** A primary that is busy for longer is asked again, on another connection. */
const answerWithinMs = 2000;
const retryMs = 20;
/** A failure that has lasted for so long is told, ms; while nobody writes it is looked whether it is over. */
const tellAfterMs = 1000;
const probeEveryMs = 1000;
const probeWithinMs = 100;
/** For so long a former primary may take to go on as its successor's replica, ms: connections to it last no longer. */
const inheritWithinMs = 1000;
const inheritRetryMs = 5;

export const keyOf = ({ address, port }: { address: string; port: number }): string => `${address}:${port}`;

interface Waiting {
  server: MemberAddress;
  /** How often the primary had been changed when it executed this. */
  reign: number;
  done: (confirmed: boolean) => void;
}

export class Durability {
  readonly #config: GateConfig;
  readonly #sources: DurabilitySources;
  #waiting: Waiting[] = [];
  #busy = false;
  #link: Link | null = null;
  #primary: MemberAddress | null = null;
  #inSync: InSync = initialInSync([]);
  /** Null where members do not replicate, or nobody is known. */
  #reign: Reign | null = null;
  /** Null where members replicate. */
  readonly #recorded: RecordedSet | null;
  /** The primary's WAIT is about its own connection's writes only. */
  #waitsForOwn = false;
  /** Why nothing can be confirmed at the primary, since the first attempt that failed for it. */
  #failure: { why: string; sinceMs: number } | null = null;
  readonly #trouble: Trouble;
  #probe: NodeJS.Timeout | undefined;

  constructor(config: GateConfig, sources: DurabilitySources) {
    this.#config = config;
    this.#sources = sources;
    this.#trouble = new Trouble((text) => sources.log(text));
    this.#recorded = config.standalone ? new RecordedSet(config.quorum ? 'quorum' : 'all', sources) : null;
  }

  /** Calls back when everything that this server executed until now is on every replica of the in-sync set. */
  readonly confirm = (server: MemberAddress, done: (confirmed: boolean) => void): void => {
    const waiting = { server, reign: this.#sources.switches(), done };
    if (server !== this.#sources.primary()) {
      void this.#inherit(waiting);
      return;
    }
    this.#waiting.push(waiting);
    if (!this.#busy) void this.#run();
  };

  /** Another primary may be known: what is being asked of the one before needs no answer. */
  onChange(): void {
    if (this.#primary !== this.#sources.primary()) this.#link?.close();
  }

  stop(): void {
    clearTimeout(this.#probe);
    this.#link?.close();
  }

  /** Why no write is acknowledged, once that has lasted for a moment; null while writes are, as far as is known. */
  get reason(): string | null {
    if (this.#failure === null || performance.now() - this.#failure.sinceMs < tellAfterMs) return null;
    return this.#failure.why;
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const reign = this.#sources.switches();
      const confirmed = await this.#confirmWithin(this.#config.holdMs, reign);
      const isOver = reign !== this.#sources.switches();
      for (const each of batch) {
        if (each.reign !== reign || (!confirmed && isOver)) void this.#inherit(each);
        else each.done(confirmed);
      }
    }
    this.#busy = false;
    this.#probeLater();
  }

  /** Nobody may write any more: that it can be confirmed again is to be known all the same. */
  #probeLater(): void {
    clearTimeout(this.#probe);
    if (this.#failure === null) return;
    this.#probe = setTimeout(async () => {
      if (this.#busy) return;
      this.#busy = true;
      await this.#confirmWithin(probeWithinMs, this.#sources.switches());
      await this.#run();
    }, probeEveryMs).unref();
  }

  async #confirmWithin(holdMs: number, reign: number): Promise<boolean> {
    const deadline = performance.now() + holdMs;
    const primary = this.#sources.primary();
    while (performance.now() < deadline) {
      // After a change of primary, what the old one executed is not this one's to confirm.
      if (primary === null || reign !== this.#sources.switches()) return false;
      try {
        const confirmed = await this.#once(primary);
        this.#failure = null;
        this.#trouble.isOver(`writes are confirmed at ${primary.id} again`);
        if (confirmed) return reign === this.#sources.switches();
      } catch (error) {
        if (reign !== this.#sources.switches()) return false;
        const why = `cannot confirm writes at ${primary.id}: ${errorText(error)}`;
        this.#failure = { why, sinceMs: this.#failure?.sinceMs ?? performance.now() };
        this.#trouble.is(why);
      }
      await pause(retryMs);
    }
    return false;
  }

  /** Few wait in the moment of a change: each asks for itself. */
  async #inherit({ server, done }: Waiting): Promise<void> {
    const heir = this.#sources.primary();
    const reign = this.#sources.switches();
    if (heir === null || heir === server) return done(false);
    const { memberCredentials: credentials, tls } = this.#config;
    const open = (member: MemberAddress) =>
      openLink(member, { credentials, tls }, { timeoutMs: inheritWithinMs });
    const [before, after] = [open(server), open(heir)];
    const until = performance.now() + inheritWithinMs;
    let inherited = false;
    try {
      while (!inherited && reign === this.#sources.switches() && performance.now() < until) {
        inherited = await hasInherited(before, after);
        if (!inherited) await pause(inheritRetryMs);
      }
    } catch {
      // One that is gone says nothing of what it had.
    } finally {
      before.close();
      after.close();
    }
    if (inherited && reign === this.#sources.switches()) this.confirm(heir, done);
    else done(false);
  }

  /** One round: true when all of the set have everything. */
  async #once(primary: MemberAddress): Promise<boolean> {
    const link = await this.#linkTo(primary);
    if (this.#recorded !== null) return await this.#recorded.reached(link, primary.id);
    const { members } = this.#inSync;
    const [count, ms] = this.#waitsForOwn ? [tooMany, firstLookMs] : [members.size, waitMs];
    const [first, waited, second] = await link.callAll([['ROLE'], ['WAIT', count, ms], ['ROLE']]);
    const role = parseRole(first);
    const target = role?.role === 'primary' ? role.offset : Number.NaN;
    let online = this.#onlineMembers(parseRole(second));
    if (!haveReached(members, target, online) && Number(waited) >= members.size) this.#waitsForOwn = true;
    if (this.#waitsForOwn) online = await this.#look(link, target, online);
    const round = this.#take({ kind: 'round', target, online });
    const { confirmed } = round.ask
      ? this.#take({ kind: 'eligibility', ...(await this.#sources.eligibility()) })
      : round;
    if (confirmed && this.#reign !== null) this.#reign.acknowledged = target;
    return confirmed;
  }

  /**
   * Sentinels may promote a former primary that came back and never copied from the one behind it, though a replica in sync is
   * there: that is their choice, and whoever operates them has to hear of it.
   */
  async #beginReign(link: Link, { id }: MemberAddress): Promise<void> {
    const history = replicationInfo(parseInfo(String(await link.call(['INFO', 'replication']))));
    if (history.role !== 'primary') return;
    const before = this.#reign;
    this.#reign = { id, history, acknowledged: null };
    const bytes = before === null ? 0 : lacking(before, history);
    if (bytes === 0 || before === null) return;
    this.#sources.onLossySwitch();
    this.#sources.log(
      `acknowledged writes are lost: ${id} is primary, and lacks the last ${bytes} bytes that ${before.id} acknowledged as primary`,
    );
  }

  /** Has the replicas asked for what they have until all of the set have reached the offset, or it took long. */
  async #look(link: Link, target: number, seen: Map<string, number>): Promise<Map<string, number>> {
    const until = performance.now() + waitMs;
    let online = seen;
    let ms = firstLookMs;
    while (!haveReached(this.#inSync.members, target, online) && performance.now() < until) {
      const [, role] = await link.callAll([['WAIT', tooMany, ms], ['ROLE']]);
      online = this.#onlineMembers(parseRole(role));
      ms = Math.min(ms * 2, longestLookMs);
    }
    return online;
  }

  #take(event: InSyncEvent): InSyncStep {
    const found = stepInSync(this.#inSync, event, this.#sources.majority(), performance.now());
    this.#inSync = found.state;
    for (const note of found.notes) this.#sources.log(note);
    return found;
  }

  /** Whoever may PSYNC can be listed as a replica; where the configuration names the members, only those count. */
  #onlineMembers(role: Role | null): Map<string, number> {
    const { members } = this.#sources;
    const named = this.#config.members.length > 0;
    const replicas = role?.role === 'primary' ? role.replicas : [];
    const counted = replicas.filter((each) => !named || members.find(each) !== undefined);
    return new Map(counted.map((each) => [keyOf(members.find(each) ?? each), each.offset]));
  }

  async #linkTo(primary: MemberAddress): Promise<Link> {
    if (this.#primary !== primary) {
      this.#link?.close();
      this.#link = null;
      const promotable = this.#recorded === null ? await this.#promotable() : [];
      const could = promotable.filter((key) => key !== keyOf(primary));
      const replaced = this.#sources.replaced();
      this.#inSync = initialInSync(could, replaced && keyOf(replaced));
      this.#primary = primary;
      this.#waitsForOwn = false;
      this.#failure = null;
    }
    if (this.#link === null || this.#link.closed) {
      const { memberCredentials: credentials, tls } = this.#config;
      this.#link = openLink(primary, { credentials, tls }, { timeoutMs: answerWithinMs });
    }
    const link = this.#link;
    if (this.#recorded === null && this.#reign?.id !== primary.id) await this.#beginReign(link, primary);
    return link;
  }

  /** Who could be promoted, as far as is known: the members, and where those are learned, whom the Sentinels list. */
  async #promotable(): Promise<string[]> {
    const members = this.#sources.members.all.map(keyOf);
    if (this.#config.members.length > 0) return members;
    const { asked, eligible } = await this.#sources.eligibility();
    if (asked < this.#sources.majority())
      throw new Error('no majority of Sentinels says who could be promoted');
    return [...members, ...eligible];
  }
}
