import { errorText } from '../../base/errors.ts';
import type { Link } from '../../redis/link.ts';
import { parseRole, type Role } from '../../redis/role.ts';
import type { GateConfig, MemberAddress } from '../config.ts';
import { openLink } from './open-link.ts';

/**
 * `durability: replicated`: a write's answer goes out only when every replica that could be promoted has the write.
 *
 * - The in-sync set is every member but the primary at first. A member leaves it only when a majority of Sentinels
 *   answers and none of those would promote it: it is disconnected or down for them, or its priority is 0. A member
 *   that the primary lists as online, and that gives a sign of life, joins it at once, and so does one that a Sentinel
 *   would promote again: the Sentinels are asked for that as long as somebody is left out. So the set shrinks before a
 *   write is acknowledged without a member, as Kafka's in-sync set does. Who takes a slow replica out of the
 *   Sentinels' choice is the agent: topology/eligibility.ts.
 * - Answers are confirmed in batches: ROLE, WAIT, ROLE, in one go on a connection of the gate's own. The first ROLE
 *   gives the offset to reach, WAIT waits until the replicas have what was written before it, and the second ROLE
 *   shows which replica has acknowledged how much.
 * - One batch is under way at a time; what comes meanwhile goes into the next.
 * - What can't be confirmed within `holdMs` is not acknowledged: its connection is given up, and its writes are
 *   answered with UNCERTAIN.
 */

/** What the Sentinels say of one replica: whether it could be promoted. */
export interface Eligibility {
  /** How many Sentinels answered. */
  asked: number;
  /** `address:port` of those that at least one Sentinel could promote. */
  eligible: Set<string>;
}

export interface DurabilitySources {
  primary(): MemberAddress | null;
  eligibility(): Promise<Eligibility>;
  log(text: string): void;
}

const waitMs = 500;
/** A primary that is busy for longer is asked again, on another connection. */
const answerWithinMs = 2000;
const retryMs = 20;
/** While a replica is left out, the Sentinels are asked for it at most this often. */
const eligibilityMs = 100;

export const keyOf = ({ address, port }: { address: string; port: number }): string => `${address}:${port}`;

export class Durability {
  readonly #config: GateConfig;
  readonly #sources: DurabilitySources;
  #waiting: ((confirmed: boolean) => void)[] = [];
  #busy = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #link: Link | null = null;
  #primary: MemberAddress | null = null;
  readonly #inSync = new Set<string>();
  /** Who was left out, with the offset it had then. */
  readonly #excluded = new Map<string, number>();

  constructor(config: GateConfig, sources: DurabilitySources) {
    this.#config = config;
    this.#sources = sources;
  }

  /** Calls back when everything that the primary executed until now is on every replica of the in-sync set. */
  readonly confirm = (done: (confirmed: boolean) => void): void => {
    this.#waiting.push(done);
    if (!this.#busy) void this.#run();
  };

  stop(): void {
    this.#link?.close();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const confirmed = await this.#confirmWithin(this.#config.holdMs);
      for (const done of batch) done(confirmed);
    }
    this.#busy = false;
  }

  async #confirmWithin(holdMs: number): Promise<boolean> {
    const deadline = performance.now() + holdMs;
    const primary = this.#sources.primary();
    while (performance.now() < deadline) {
      // After a change of primary, what the old one executed is not this one's to confirm.
      if (primary === null || primary !== this.#sources.primary()) return false;
      try {
        if (await this.#once(primary)) return true;
      } catch (error) {
        this.#sources.log(`cannot confirm writes at ${primary.id}: ${errorText(error)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
    return false;
  }

  /** One round: true when all of the set have everything. */
  async #once(primary: MemberAddress): Promise<boolean> {
    const link = this.#linkTo(primary);
    const wanted = this.#inSync.size;
    const [first, , second] = await link.callAll([['ROLE'], ['WAIT', wanted, waitMs], ['ROLE']]);
    const role = parseRole(first);
    const target = role?.role === 'primary' ? role.offset : Number.NaN;
    const online = onlineReplicas(parseRole(second));
    let joined = false;
    for (const [key, offset] of online) {
      // Whoever may PSYNC can be listed; only members can be promoted.
      if (!this.#config.members.some((member) => keyOf(member) === key)) continue;
      // One that was left out comes back when it gives a sign of life, before a Sentinel would promote it again.
      if (this.#inSync.has(key) || this.#excluded.get(key) === offset) continue;
      this.#excluded.delete(key);
      this.#inSync.add(key);
      joined = true;
    }
    const behind = [...this.#inSync].filter((key) => !((online.get(key) ?? -1) >= target));
    if (behind.length === 0) return !(await this.#rejoined());
    if (!joined) await this.#shrink(behind, online);
    return false;
  }

  /** Whether one that was left out could be promoted again, so that what there is must reach it first. */
  async #rejoined(): Promise<boolean> {
    if (this.#excluded.size === 0 || performance.now() - this.#askedAt < eligibilityMs) return false;
    const { asked, eligible } = await this.#sources.eligibility();
    if (asked < this.#config.quorumMajority) return false;
    this.#askedAt = performance.now();
    let rejoined = false;
    for (const key of this.#excluded.keys()) {
      if (!eligible.has(key)) continue;
      this.#excluded.delete(key);
      this.#inSync.add(key);
      this.#sources.log(`writes wait for ${key} again: a Sentinel would promote it`);
      rejoined = true;
    }
    return rejoined;
  }

  async #shrink(behind: string[], online: Map<string, number>): Promise<void> {
    const { asked, eligible } = await this.#sources.eligibility();
    if (asked < this.#config.quorumMajority) return;
    for (const key of behind) {
      if (eligible.has(key)) continue;
      this.#inSync.delete(key);
      this.#excluded.set(key, online.get(key) ?? -1);
      this.#sources.log(`writes no longer wait for ${key}: no Sentinel would promote it`);
    }
  }

  #linkTo(primary: MemberAddress): Link {
    if (this.#primary !== primary) {
      this.#primary = primary;
      this.#link?.close();
      this.#link = null;
      this.#inSync.clear();
      this.#excluded.clear();
      for (const member of this.#config.members) if (member !== primary) this.#inSync.add(keyOf(member));
      this.#inSync.delete(keyOf(primary));
    }
    if (this.#link === null || this.#link.closed) {
      const { memberCredentials: credentials, tls } = this.#config;
      this.#link = openLink(primary, { credentials, tls }, { timeoutMs: answerWithinMs });
    }
    return this.#link;
  }
}

/** The acknowledged offset of each replica that is online. */
export function onlineReplicas(role: Role | null): Map<string, number> {
  return new Map(role?.role === 'primary' ? role.replicas.map((each) => [keyOf(each), each.offset]) : []);
}
