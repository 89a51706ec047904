import { Buffer } from 'node:buffer';
import { refusalReply } from '../../redis/errors.ts';
import type { GateTls, MemberAddress } from '../config.ts';
import { keyOf } from './durability.ts';
import type { Login } from './identity.ts';
import { openLink } from './open-link.ts';

/** A member, and who is logged in there. */
export interface LoginInUse {
  readonly member: MemberAddress;
  readonly login: Login;
}

/** One that is not taken any more, with the server's words. */
export interface RefusedLogin {
  readonly login: Login;
  readonly error: string;
}

/** So many are tried at a time, on one connection to a member; the others have their turn at the next look. */
const mostAtATime = 100;
const askMs = 2000;

/**
 * Whether those who logged in still could. A server asks only those who come, and the connections that clients share
 * were opened earlier: so a password that was changed at a member, a user that was switched off there or deleted, would
 * be noticed only when a connection is opened anew. What a user may do needs no look: a server applies that to the
 * connections that it has. It takes no right, because whoever may log in may try to.
 */
export class LoginCheck {
  readonly #tls: GateTls | null;
  readonly #onRefused: (refused: RefusedLogin[]) => void;
  /** Once refused, a login is told of no more while it is in use. */
  readonly #refused = new Set<string>();
  #turn = 0;
  #looking = false;

  /** @param onRefused some logged in with what their member does not take any more */
  constructor(tls: GateTls | null, onRefused: (refused: RefusedLogin[]) => void) {
    this.#tls = tls;
    this.#onRefused = onRefused;
  }

  /** Tries some of these. Settles when they are answered; a member that does not answer tells nothing. */
  async look(inUse: Iterable<LoginInUse>): Promise<void> {
    if (this.#looking) return;
    const byKey = new Map([...inUse].map((each) => [nameOf(each), each]));
    for (const key of this.#refused) if (!byKey.has(key)) this.#refused.delete(key);
    const open = [...byKey].filter(([key]) => !this.#refused.has(key));
    if (open.length === 0) return;
    const from = this.#turn % open.length;
    const chosen = [...open.slice(from), ...open.slice(0, from)].slice(0, mostAtATime);
    this.#turn = from + chosen.length;
    this.#looking = true;
    try {
      const members = new Set(chosen.map(([, { member }]) => member));
      await Promise.all(
        [...members].map((member) =>
          this.#ask(
            member,
            chosen.filter(([, each]) => each.member === member),
          ),
        ),
      );
    } finally {
      this.#looking = false;
    }
  }

  async #ask(member: MemberAddress, logins: [string, LoginInUse][]): Promise<void> {
    const link = openLink(member, { credentials: null, tls: this.#tls }, { timeoutMs: askMs });
    const refusalOf = ({ login: { user, password } }: LoginInUse) =>
      link.call(['AUTH', Buffer.from(user, 'latin1'), Buffer.from(password, 'latin1')]).then(
        () => null,
        (error: unknown) => {
          const reply = refusalReply(error);
          return reply?.kind === 'WRONGPASS' ? reply.text : null;
        },
      );
    const refused: RefusedLogin[] = [];
    await Promise.all(
      logins.map(async ([key, each]) => {
        const error = await refusalOf(each);
        if (error === null) return;
        this.#refused.add(key);
        refused.push({ login: each.login, error });
      }),
    );
    link.close();
    if (refused.length > 0) this.#onRefused(refused);
  }
}

function nameOf({ member, login: { user, password } }: LoginInUse): string {
  return JSON.stringify([keyOf(member), user, password]);
}
