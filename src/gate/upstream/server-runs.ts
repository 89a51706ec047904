import { refusalKind } from '../../redis/errors.ts';
import type { MemberAddress } from '../config.ts';
import { keyOf } from './durability.ts';
import { type OwnLogin, openOwnLink } from './open-link.ts';

const askMs = 2000;

/** A name that the gate made up. */
const madeUp = '?';

/** Whether it is the server's own name: the same again is the same run, and another is another. */
export function isKnownRun(run: string): boolean {
  return run !== '' && !run.startsWith(madeUp);
}

interface Known {
  member: MemberAddress;
  name: Promise<string>;
  /** Empty until it is known. */
  run: string;
  /** It was asked, and its connection broke before it said so. */
  unanswered: boolean;
  /** Null until it is known. */
  version: [major: number, minor: number] | null;
}

/**
 * Which run of its server process each member is in: its `run_id`, or, where the gate may not ask for that, a name that
 * the gate makes up. A server that ends breaks its connections; then the name is forgotten, and the next connection
 * asks for it anew.
 */
export class ServerRuns {
  readonly #login: OwnLogin;
  readonly #known = new Map<string, Known>();
  #made = 0;

  constructor(login: OwnLogin) {
    this.#login = login;
  }

  /**
   * The name of the run that this member is in. Whoever shares a question that stays without an answer has it asked once more: it may
   * have been of a run that was over, behind a proxy that takes connections for it.
   */
  async nameOf(member: MemberAddress): Promise<string> {
    const key = keyOf(member);
    const known = this.#known.get(key);
    if (known === undefined) return this.#begin(member);
    const run = await known.name;
    if (!known.unanswered) return run;
    const next = this.#known.get(key);
    return next === undefined || next === known ? this.#begin(member) : next.name;
  }

  #begin(member: MemberAddress): Promise<string> {
    const fresh: Known = { member, run: '', unanswered: false, version: null, name: Promise.resolve('') };
    fresh.name = this.#ask(fresh);
    this.#known.set(keyOf(member), fresh);
    void fresh.name.then((run) => {
      fresh.run = run;
    });
    return fresh.name;
  }

  /** The member whose run has a name like this. */
  memberOf(test: (run: string) => boolean): MemberAddress | null {
    for (const { member, run } of this.#known.values()) if (run !== '' && test(run)) return member;
    return null;
  }

  /** Its WAIT is about what its own connection wrote: so it is since Redis 7.2, and in Valkey, which calls itself that. */
  waitsForOwn(member: MemberAddress): boolean {
    const [major, minor] = this.#known.get(keyOf(member))?.version ?? [8, 0];
    return major > 7 || (major === 7 && minor >= 2);
  }

  /** A connection to it broke: it may be another run that answers next. */
  forget(member: MemberAddress): void {
    this.#known.delete(keyOf(member));
  }

  async #ask(known: Known): Promise<string> {
    const { member } = known;
    const made = `${madeUp}${keyOf(member)} ${process.pid} ${performance.timeOrigin} ${this.#made++}`;
    const link = openOwnLink(member, this.#login, { timeoutMs: askMs });
    // Who may not ask, or gets no answer, goes by the name that was made up.
    const info = await link.call(['INFO', 'server']).catch((error) => {
      known.unanswered = refusalKind(error) === undefined;
      return '';
    });
    link.close();
    const version = /^redis_version:(\d+)\.(\d+)/m.exec(String(info));
    if (version !== null) known.version = [Number(version[1]), Number(version[2])];
    return /^run_id:(\w+)/m.exec(String(info))?.[1] ?? made;
  }
}
