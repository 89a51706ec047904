import { errorText } from '../../base/errors.ts';
import { parseInfo, replicationInfo } from '../../redis/info.ts';
import type { Link } from '../../redis/link.ts';
import type { GateConfig, MemberAddress } from '../config.ts';
import { Trouble } from '../trouble.ts';
import { openLink } from '../upstream/open-link.ts';
import type { Membership } from './members.ts';

const everyMs = 1000;
/** A replica that is fit no more keeps those who subscribed there for so long at least: it may be a moment only. */
const keptAtLeastMs = 10_000;

/**
 * Which replicas are fit for reads: the primary lists them as online, and heard from them within `maxLagMs`. Asked
 * of the primary once a second; only a gate with a read-only port does that.
 */
export class ReplicaWatch {
  readonly #config: GateConfig;
  readonly #members: Membership;
  readonly #trouble: Trouble;
  readonly #onChange: () => void;
  #link: Link | null = null;
  #primary: MemberAddress | null = null;
  #timer: NodeJS.Timeout | undefined;
  #fit: MemberAddress[] = [];
  /** When each was fit last, in monotonic ms. */
  readonly #known = new Map<MemberAddress, number>();

  constructor(config: GateConfig, members: Membership, log: (text: string) => void, onChange: () => void) {
    this.#config = config;
    this.#members = members;
    this.#trouble = new Trouble(log);
    this.#onChange = onChange;
  }

  get fit(): MemberAddress[] {
    return this.#fit;
  }

  /** Watches the replicas of this primary from now on. */
  follow(primary: MemberAddress | null): void {
    if (primary === this.#primary) return;
    this.#primary = primary;
    this.#link?.close();
    this.#link = null;
    this.#fit = this.#fit.filter((member) => member !== primary);
    void this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#link?.close();
    this.#primary = null;
  }

  /** It was fit a moment ago: who has a standing connection there keeps it. */
  wasFit(member: MemberAddress): boolean {
    return this.#known.has(member);
  }

  /** This one could not be reached: no reads for it until it is seen online again. */
  exclude(member: MemberAddress): void {
    this.#fit = this.#fit.filter((each) => each !== member);
  }

  #remember(): void {
    const now = performance.now();
    for (const member of this.#fit) this.#known.set(member, now);
    const keptMs = Math.max(keptAtLeastMs, this.#config.maxLagMs);
    for (const [member, at] of this.#known) if (now - at > keptMs) this.#known.delete(member);
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    const primary = this.#primary;
    if (primary === null) return;
    const before = this.#fit;
    const knownBefore = this.#known.size;
    try {
      if (this.#link === null || this.#link.closed) {
        const { memberCredentials: credentials, tls } = this.#config;
        this.#link = openLink(primary, { credentials, tls });
      }
      const info = await this.#link.call(['INFO', 'replication']);
      if (primary !== this.#primary) return;
      this.#trouble.isOver(`${primary.id} says who its replicas are`);
      if (!this.#config.readsAtPrimary)
        this.#fit = fitReplicas(String(info), this.#members, this.#config.maxLagMs);
      this.#remember();
    } catch (error) {
      if (primary !== this.#primary) return;
      this.#trouble.is(`cannot ask ${primary.id} for its replicas: ${errorText(error)}`);
    }
    const changed = before.join() !== this.#fit.join() || before.length !== this.#fit.length;
    if (changed || this.#known.size < knownBefore) this.#onChange();
    this.#timer = setTimeout(() => void this.#look(), everyMs);
  }
}

/** @param info the primary's INFO replication; its lag is in seconds, and -1 for one that has not spoken yet. */
export function fitReplicas(info: string, members: Membership, maxLagMs: number): MemberAddress[] {
  return replicationInfo(parseInfo(info)).replicas.flatMap((replica) => {
    const { online, lagSeconds } = replica;
    const isFit = online && lagSeconds >= 0 && lagSeconds * 1000 <= maxLagMs;
    return isFit ? (members.find(replica) ?? []) : [];
  });
}
