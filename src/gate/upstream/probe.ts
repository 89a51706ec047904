import { errorCode } from '../../base/errors.ts';
import { isOutOfFiles } from '../../base/open-files.ts';
import { refusalKind } from '../../redis/errors.ts';
import { parseInfo } from '../../redis/info.ts';
import type { Link } from '../../redis/link.ts';
import { parseRole } from '../../redis/role.ts';
import { mayLead, type OwnKeys, ownKeys } from '../../stream/lead-position.ts';
import type { GateConfig, MemberAddress } from '../config.ts';
import { type OwnLogin, openOwnLink } from './open-link.ts';

/**
 * `loading`: it reads its data, and answers nobody else until then. `unknown`: it answers, but not to us, or we may open no more
 * files. `absent`: its host says that nobody listens there. `unreachable`: it did not answer in time, which may be our own fault.
 */
export type Role = 'master' | 'slave' | 'loading' | 'unknown' | 'absent' | 'unreachable';

const answerWithinMs = 300;
const leadsWithinMs = 2000;

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
      // A host that is lost, or a process that hangs, does not answer at all.
      this.#link = openOwnLink(this.#member, this.#config, { timeoutMs: answerWithinMs });
    }
    const link = this.#link;
    try {
      const [reply] = await Promise.all([
        link.call(['ROLE']),
        link.call(['PING']).catch(passOverUnlessLoading),
      ]);
      const role = parseRole(reply)?.role;
      if (role === 'primary') return this.#config.standalone && !(await leads(link)) ? 'slave' : 'master';
      return role === 'replica' ? 'slave' : 'unknown';
    } catch (error) {
      const refusal = refusalKind(error);
      if (refusal === undefined && isOutOfFiles(causeCode(error))) return 'unknown';
      if (refusal === undefined) return causeCode(error) === 'ECONNREFUSED' ? 'absent' : 'unreachable';
      return refusal === 'LOADING' ? 'loading' : 'unknown';
    }
  }

  close(): void {
    this.#link?.close();
    this.#link = null;
  }
}

/**
 * Whether a standalone member leads, by its own word now.
 * @throws REDIS_UNREACHABLE, REDIS_REFUSED when it does not say
 */
export async function leadsNow(member: MemberAddress, login: OwnLogin): Promise<boolean> {
  const link = openOwnLink(member, login, { timeoutMs: leadsWithinMs });
  try {
    return await leads(link);
  } finally {
    link.close();
  }
}

/** A standalone server is a primary of its own, whoever leads. */
async function leads(link: Link): Promise<boolean> {
  const [info, own] = await link.callAll([
    ['INFO', 'server'],
    ['MGET', ...ownKeys],
  ]);
  return mayLead(own as unknown as OwnKeys, parseInfo(String(info))['run_id']);
}

function causeCode(error: unknown): string | undefined {
  return error instanceof Error ? errorCode(error.cause) : undefined;
}

function passOverUnlessLoading(error: unknown): void {
  if (refusalKind(error) === 'LOADING') throw error;
}
