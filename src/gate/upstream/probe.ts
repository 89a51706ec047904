import { errorText } from '../../base/errors.ts';
import type { GateConfig, MemberAddress } from '../config.ts';
import { Link } from './link.ts';

/** `loading`: it reads its data, and answers nobody else until then. `unknown`: it answers, but not to us. */
export type Role = 'master' | 'slave' | 'loading' | 'unknown' | 'unreachable';

const connectMs = 300;

/**
 * Asks one member for its ROLE, again and again, on one connection while that lasts. A server that loads its data
 * says its role all the same, and refuses PING: in COMMAND, ROLE has the flag `loading` and PING does not.
 */
export class Probe {
  readonly #member: MemberAddress;
  readonly #config: GateConfig;
  #link: Link | null = null;

  constructor(member: MemberAddress, config: GateConfig) {
    this.#member = member;
    this.#config = config;
  }

  async role(): Promise<Role> {
    if (this.#link === null || this.#link.closed) {
      this.#link = new Link(this.#member, {
        credentials: this.#config.memberCredentials,
        tls: this.#config.tls,
        connectMs,
      });
    }
    const link = this.#link;
    // A host that is lost, or a process that hangs, does not answer at all.
    const timer = setTimeout(() => link.close(), connectMs);
    try {
      await link.ready;
      const [reply] = await Promise.all([link.call('ROLE'), link.call('PING').catch(passOverUnlessLoading)]);
      const role = Array.isArray(reply) ? reply[0] : null;
      return role === 'master' || role === 'slave' ? role : 'unknown';
    } catch (error) {
      const text = errorText(error);
      if (isLoading(text)) return 'loading';
      return /: (NOAUTH|NOPERM|WRONGPASS|ERR) /.test(text) ? 'unknown' : 'unreachable';
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#link?.close();
    this.#link = null;
  }
}

function isLoading(text: string): boolean {
  return /: LOADING /.test(text);
}

function passOverUnlessLoading(error: unknown): void {
  if (isLoading(errorText(error))) throw error;
}
