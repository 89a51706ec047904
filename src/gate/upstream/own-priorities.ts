import { parseInfo, replicationInfo } from '../../redis/info.ts';
import type { Link } from '../../redis/link.ts';
import type { GateConfig, MemberAddress } from '../config.ts';
import { openLink } from './open-link.ts';

const answerWithinMs = 300;

/**
 * What replicas themselves say of their priority, which is what an agent goes by. A Sentinel asks for it every ten seconds
 * only, and takes a replica for ineligible that was made eligible since; and on a busy machine it takes one for down that
 * only answered late. Writes would go on without a replica that may be promoted a moment later.
 */
export class OwnPriorities {
  readonly #config: GateConfig;
  readonly #links = new Map<MemberAddress, Link>();

  constructor(config: GateConfig) {
    this.#config = config;
  }

  /** Those of these that say that they may be promoted. One that does not answer has said nothing. */
  async eligible(members: MemberAddress[]): Promise<MemberAddress[]> {
    const said = await Promise.all(members.map((member) => this.#isEligible(member)));
    return members.filter((_, index) => said[index]);
  }

  stop(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  async #isEligible(member: MemberAddress): Promise<boolean> {
    try {
      const link = this.#linkTo(member);
      const info = await link.call(['INFO', 'replication']);
      return replicationInfo(parseInfo(String(info))).priority !== 0;
    } catch {
      return false;
    }
  }

  #linkTo(member: MemberAddress): Link {
    const open = this.#links.get(member);
    if (open !== undefined && !open.closed) return open;
    const { memberCredentials: credentials, tls } = this.#config;
    const link = openLink(member, { credentials, tls }, { timeoutMs: answerWithinMs });
    this.#links.set(member, link);
    return link;
  }
}
