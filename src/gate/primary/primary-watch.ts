import { describeDuration } from '../../base/duration.ts';
import { errorText } from '../../base/errors.ts';
import { isPromotable } from '../../redis/sentinel-replies.ts';
import type { Endpoint, GateConfig, MemberAddress } from '../config.ts';
import { GateControlFailed } from '../errors.ts';
import { type Eligibility, keyOf } from '../upstream/durability.ts';
import { Probe } from '../upstream/probe.ts';
import { SentinelWatch } from './sentinel-watch.ts';

/**
 * Knows who is primary. The rules:
 *
 * - A member becomes primary for the gate when a Sentinel of the deployment announced that it was selected, or when
 *   it has the highest epoch among what a majority of Sentinels say, or when the agent said so by /switch; and in
 *   every case only once its own ROLE says master and it has loaded its data. Nothing is done for a member that
 *   merely claims to be primary, and nothing at all for a server that the configuration does not have: whoever may
 *   publish to __sentinel__:hello can have Sentinels name any.
 * - On a selection the gate holds writes toward the old primary and asks the selected one every few ms. When the
 *   failover is aborted, or nothing comes of it, and the old one still answers as primary, the writes go on there.
 * - When connections to the primary fail, everything is held. It is asked again, in case it was only restarted, and
 *   so is whoever is announced or named. A primary that comes back after a selection is not trusted.
 * - Without a majority the gate keeps its primary while that one still answers as primary, and says so.
 * - Without Sentinels in the configuration the first member is the primary, always.
 */

export interface PrimaryEvents {
  /** The primary, or what is held, changed. */
  onChange(): void;
}

const probeMs = 3;
const slowProbeMs = 50;
const pollHoldingMs = 250;
const pollIdleMs = 5000;
/** After a selection that nothing came of, and after any hold without its own limit. */
const selectionLimitMs = 30_000;
/** When a primary is new, or came back, its refusals for want of replicas pass: they are waited out. */
const settlingMs = 10_000;

export class PrimaryWatch {
  readonly #config: GateConfig;
  readonly #events: PrimaryEvents;
  readonly #log: (text: string) => void;
  readonly #sentinels: SentinelWatch[];
  readonly #probes = new Map<string, Probe>();
  primary: MemberAddress | null = null;
  primarySince: number | null = null;
  #settlingSince = Number.NEGATIVE_INFINITY;
  holding: 'none' | 'writes' | 'all' = 'all';
  /** The primary came back and reads its data; everything is held. */
  loads = false;
  reason: string | null = 'starting: the primary is not known yet';
  holdingSince = performance.now();
  #candidate: { member: MemberAddress; by: string; at: number } | null = null;
  /** Runs while the agent's own hold lasts: it ends by its limit, by release or by a switch. */
  #holdTimer: NodeJS.Timeout | undefined;
  #checking = false;
  #pollTimer: NodeJS.Timeout | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  switches = 0;
  /**
   * After a selection the Sentinels go on naming the old primary for a second or more, under the old epoch. What
   * they say of another member counts only above this epoch, as long as ours answers as primary.
   */
  #trustAbove = -1;
  /** The last server named that is no member. */
  #stranger = '';

  constructor(config: GateConfig, log: (text: string) => void, events: PrimaryEvents) {
    this.#config = config;
    this.#log = log;
    this.#events = events;
    const { deployment, sentinelCredentials: credentials, tls } = config;
    this.#sentinels = config.sentinels.map(
      (endpoint) =>
        new SentinelWatch(
          endpoint,
          { deployment, credentials, tls, log },
          {
            onSelected: (replica, old, event) => this.#onSelected(replica, old, event),
            onAborted: (event) => this.#onAborted(event),
            onVote: () => this.#onVote(),
          },
        ),
    );
    if (config.sentinels.length === 0) this.#become(config.members[0] as MemberAddress, 'the configuration');
    else this.#poll();
  }

  get sentinelsSeen(): number {
    return this.#sentinels.filter(({ vote }) => vote !== null).length;
  }

  /** Which replicas at least one of the Sentinels that answer could promote. Without Sentinels: none. */
  async eligibility(): Promise<Eligibility> {
    const lists = (await Promise.all(this.#sentinels.map((each) => each.replicas()))).filter(
      (list) => list !== null,
    );
    const eligible = lists.flat().filter(isPromotable);
    return { asked: lists.length, eligible: new Set(eligible.map(keyOf)) };
  }

  stop(): void {
    for (const timer of [this.#holdTimer, this.#pollTimer, this.#probeTimer]) clearTimeout(timer);
    for (const sentinel of this.#sentinels) sentinel.stop();
    for (const probe of this.#probes.values()) probe.close();
  }

  /** A connection to the member failed. */
  onLost(member: MemberAddress, reason: string): void {
    if (member !== this.primary || this.holding === 'all') return;
    void this.#check(member, reason);
  }

  /** The primary says that it is a replica: true when the request is to be held until this is settled. */
  onReadonly(member: MemberAddress): boolean {
    if (this.#config.sentinels.length === 0) return false;
    if (member !== this.primary) return true;
    this.#trustAbove = -1;
    if (this.holding === 'none') this.#hold('writes', `${member.id} answers as a replica`);
    this.#startProbing();
    return true;
  }

  /** It refuses for want of replicas, or because it loads: true while that is expected to pass. */
  onNotReady(member: MemberAddress): boolean {
    if (this.#checking) return true;
    if (this.#config.sentinels.length === 0) return false;
    return member !== this.primary || performance.now() - this.#settlingSince < settlingMs;
  }

  /** Stops writes until `release`, `switchTo` or the time is over. */
  holdWrites(reason: string, maxMs: number): void {
    if (this.holding === 'none') this.#hold('writes', reason);
    this.#limitHold(maxMs);
  }

  /** Makes this member the primary once its ROLE says so. @throws GATE_CONTROL */
  async switchTo(endpoint: Endpoint, withinMs = 5000): Promise<void> {
    const member = this.#memberAt(endpoint);
    if (member === null)
      throw GateControlFailed(`${endpoint.address}:${endpoint.port} is no member of this deployment`);
    const deadline = performance.now() + withinMs;
    for (;;) {
      const role = await this.#probe(member).role();
      if (role === 'master') break;
      if (performance.now() > deadline) {
        throw GateControlFailed(`${member.id} does not answer as primary but as ${role}`);
      }
      await new Promise((resolve) => setTimeout(resolve, probeMs));
    }
    this.#become(member, 'the agent');
  }

  release(): void {
    this.#endLimit();
    if (this.primary !== null && this.holding === 'writes') this.#open();
  }

  #onSelected(replica: Endpoint, old: Endpoint, event: string): void {
    const member = this.#memberAt(replica);
    if (member === null) return;
    if (member === this.primary && this.holding === 'none') return;
    if (this.#candidate?.member === member) return;
    this.#candidate = { member, by: event, at: performance.now() };
    this.#log(`${event}: ${member.id} is to replace ${old.address}:${old.port}`);
    if (this.holding === 'none') this.#hold('writes', `a Sentinel selected ${member.id}`);
    this.#startProbing();
  }

  #onAborted(event: string): void {
    this.#log(`the failover was given up: ${event}`);
    this.#candidate = null;
    if (this.holding !== 'none') this.#startProbing();
  }

  /** The member named under the highest epoch, if a majority of Sentinels answers. */
  #named(): MemberAddress | null {
    const votes = this.#sentinels.flatMap(({ vote }) => (vote === null ? [] : [vote]));
    if (votes.length < this.#config.quorumMajority) return null;
    const [newest] = votes.toSorted((a, b) => b.epoch - a.epoch);
    if (newest === undefined) return null;
    const member = this.#memberAt(newest);
    if (member === null) return null;
    return member === this.primary || newest.epoch > this.#trustAbove ? member : null;
  }

  #onVote(): void {
    const named = this.#named();
    if (named !== null && named !== this.primary && this.#candidate === null) {
      this.#candidate = { member: named, by: 'a majority of Sentinels', at: performance.now() };
      this.#startProbing();
    }
    if (this.holding === 'none') this.reason = this.#remark();
  }

  #remark(): string | null {
    if (this.#config.sentinels.length === 0 || this.sentinelsSeen >= this.#config.quorumMajority) return null;
    return `no majority of Sentinels answers (${this.sentinelsSeen} of ${this.#config.sentinels.length}); keeping ${this.primary?.id}`;
  }

  /** Asks a primary whose connection broke; when it does not answer as one, everything is held. */
  async #check(member: MemberAddress, reason: string): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    const role = await this.#probe(member).role();
    this.#checking = false;
    if (role === 'master' || role === 'unknown' || member !== this.primary || this.holding === 'all') return;
    this.#trustAbove = -1;
    this.#hold('all', `${member.id} is lost: ${reason}`);
    this.#startProbing();
  }

  #hold(what: 'writes' | 'all', reason: string): void {
    if (this.holding === 'none') this.holdingSince = performance.now();
    this.holding = what;
    this.reason = reason;
    this.#log(`holding ${what === 'all' ? 'everything' : 'writes'}: ${reason}`);
    this.#poll();
    this.#events.onChange();
  }

  #limitHold(maxMs: number): void {
    this.#endLimit();
    this.#holdTimer = setTimeout(() => {
      this.#log(`the hold lasted ${describeDuration(maxMs)}, its limit`);
      this.release();
    }, maxMs);
  }

  #endLimit(): void {
    clearTimeout(this.#holdTimer);
    this.#holdTimer = undefined;
  }

  #become(member: MemberAddress, by: string): void {
    this.#endLimit();
    const changed = member !== this.primary;
    this.#candidate = null;
    if (changed) {
      this.#trustAbove = Math.max(
        -1,
        ...this.#sentinels.map(({ vote }) =>
          vote !== null && this.#memberAt(vote) !== member ? vote.epoch : -1,
        ),
      );
      if (this.primary !== null) this.switches++;
      this.primary = member;
      this.primarySince = Date.now();
      this.#settlingSince = performance.now();
    }
    this.#log(`${member.id} (${member.address}:${member.port}) is primary, says ${by}`);
    this.#open();
  }

  #open(): void {
    const wasHolding = this.holding !== 'none';
    if (this.holding === 'all') this.#settlingSince = performance.now();
    this.holding = 'none';
    this.loads = false;
    this.reason = this.#remark();
    if (wasHolding) this.#log(`open after ${describeDuration(performance.now() - this.holdingSince)}`);
    this.#candidate = null;
    for (const probe of this.#probes.values()) probe.close();
    this.#probes.clear();
    this.#poll();
    this.#events.onChange();
  }

  #poll(): void {
    clearTimeout(this.#pollTimer);
    for (const sentinel of this.#sentinels) void sentinel.poll();
    if (this.#sentinels.length === 0) return;
    this.#pollTimer = setTimeout(() => this.#poll(), this.holding === 'none' ? pollIdleMs : pollHoldingMs);
  }

  #startProbing(): void {
    if (this.#probeTimer === undefined) void this.#probeOnce();
  }

  /** One look at whoever may be primary; goes on until the gate is open and nobody is a candidate. */
  async #probeOnce(): Promise<void> {
    this.#probeTimer = setTimeout(() => {}, 0);
    const candidate = this.#candidate;
    try {
      if (candidate !== null) {
        const role = await this.#probe(candidate.member).role();
        if (role === 'master' && this.#candidate === candidate) this.#become(candidate.member, candidate.by);
        else if (performance.now() - candidate.at > selectionLimitMs) this.#candidate = null;
      }
      if (this.#candidate === null && this.holding !== 'none') await this.#tryOld();
    } catch (error) {
      this.#log(`cannot ask for a role: ${errorText(error)}`);
    }
    this.#probeTimer = undefined;
    if (this.#candidate === null && this.holding === 'none') return;
    const patient = performance.now() - this.holdingSince > 5000;
    this.#probeTimer = setTimeout(
      () => {
        this.#probeTimer = undefined;
        void this.#probeOnce();
      },
      patient ? slowProbeMs : probeMs,
    );
  }

  /** No one is announced: the primary may still be it, if nobody else is named by a majority. */
  async #tryOld(): Promise<void> {
    const { primary } = this;
    if (primary === null) return;
    const named = this.#named();
    if (this.#config.sentinels.length > 0 && named !== null && named !== primary) return;
    const role = await this.#probe(primary).role();
    if (role === 'loading' && !this.loads) {
      this.reason = `${primary.id} loads its data`;
      this.#log(this.reason);
    }
    this.loads = role === 'loading';
    const good = role === 'master' || (role === 'unknown' && this.#config.sentinels.length === 0);
    // A hold by the agent has its own end.
    const byAgent = this.#holdTimer !== undefined && this.holding === 'writes';
    if (good && !byAgent && this.#candidate === null && this.primary === primary) this.#open();
  }

  #probe(member: MemberAddress): Probe {
    const key = `${member.address}:${member.port}`;
    let probe = this.#probes.get(key);
    if (probe === undefined) {
      probe = new Probe(member, this.#config);
      this.#probes.set(key, probe);
    }
    return probe;
  }

  /** Null for a server that is no member; the log says so once. */
  #memberAt(endpoint: Endpoint): MemberAddress | null {
    const same = (member: MemberAddress) =>
      member.address === endpoint.address && member.port === endpoint.port;
    const member = this.#config.members.find(same);
    if (member !== undefined) return member;
    const where = `${endpoint.address}:${endpoint.port}`;
    if (this.#stranger !== where)
      this.#log(`a Sentinel names ${where}, which is no member: it is not followed`);
    this.#stranger = where;
    return null;
  }
}
