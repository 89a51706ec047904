import { errorText } from '../../base/errors.ts';
import type { GateConfig, MemberAddress } from '../config.ts';
import { Link } from '../upstream/link.ts';

const everyMs = 1000;

/**
 * Which replicas are fit for reads: the primary lists them as online, and heard from them within `maxLagMs`. Asked
 * of the primary once a second; only a gate with a read-only door does that.
 */
export class ReplicaWatch {
  readonly #config: GateConfig;
  readonly #log: (text: string) => void;
  readonly #onChange: () => void;
  #link: Link | null = null;
  #primary: MemberAddress | null = null;
  #timer: NodeJS.Timeout | undefined;
  fit: MemberAddress[] = [];

  constructor(config: GateConfig, log: (text: string) => void, onChange: () => void) {
    this.#config = config;
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Watches the replicas of this primary from now on. */
  follow(primary: MemberAddress | null): void {
    if (primary === this.#primary) return;
    this.#primary = primary;
    this.#link?.close();
    this.#link = null;
    this.fit = this.fit.filter((member) => member !== primary);
    void this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#link?.close();
    this.#primary = null;
  }

  /** This one could not be reached: no reads for it until it is seen online again. */
  exclude(member: MemberAddress): void {
    this.fit = this.fit.filter((each) => each !== member);
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    const primary = this.#primary;
    if (primary === null) return;
    const before = this.fit;
    try {
      if (this.#link === null || this.#link.closed) {
        this.#link = new Link(primary, {
          credentials: this.#config.memberCredentials,
          tls: this.#config.tls,
          connectMs: 1000,
        });
      }
      await this.#link.ready;
      const info = await this.#link.call('INFO', 'replication');
      if (primary !== this.#primary) return;
      this.fit = fitReplicas(String(info), this.#config);
    } catch (error) {
      if (primary !== this.#primary) return;
      this.#log(`cannot ask ${primary.id} for its replicas: ${errorText(error)}`);
    }
    if (before.join() !== this.fit.join() || before.length !== this.fit.length) this.#onChange();
    this.#timer = setTimeout(() => void this.#look(), everyMs);
  }
}

/** Reads lines like `slave0:ip=10.0.0.2,port=6379,state=online,offset=1,lag=0`; lag is in seconds. */
export function fitReplicas(info: string, config: Pick<GateConfig, 'members' | 'maxLagMs'>): MemberAddress[] {
  const fit: MemberAddress[] = [];
  for (const match of info.matchAll(/^slave\d+:ip=([^,]+),port=(\d+),state=(\w+),offset=\d+,lag=(-?\d+)/gm)) {
    const [, address, port, state, lag] = match;
    const member = config.members.find((each) => each.address === address && each.port === Number(port));
    if (
      member !== undefined &&
      state === 'online' &&
      Number(lag) >= 0 &&
      Number(lag) * 1000 <= config.maxLagMs
    ) {
      fit.push(member);
    }
  }
  return fit;
}
