/** Who asks, and what that one may do. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { isLoopback } from '../../spec/address.ts';
import { ApiForbidden, ApiTokenNeeded, LoginRefused } from '../errors.ts';
import { LoginLimit } from './login-limit.ts';
import { whyForeign } from './origin.ts';
import type { Sessions } from './sessions.ts';
import { agentTokenName, type TokenRole, type Tokens } from './tokens.ts';

export interface Caller {
  /** Null: nothing is known of it, and it comes from another machine. */
  role: TokenRole | null;
  /** For the record: the name of its token. */
  by: string;
  /** When its session ends; null without one. */
  untilMs: number | null;
  /** It showed a token or a session. */
  known: boolean;
}

export interface Asked {
  headers: IncomingHttpHeaders;
  remoteAddress: string | undefined;
  localAddress: string | undefined;
  /** It showed a certificate of the authority of `agent.tls`, with the key that belongs to it. */
  certified: boolean;
}

/** The cause of a refusal that ends by itself. */
export class ComeAgain extends Error {
  readonly afterSeconds: number;

  constructor(afterSeconds: number) {
    super(`in ${afterSeconds} s`);
    this.name = 'ComeAgain';
    this.afterSeconds = afterSeconds;
  }
}

/** Whoever may open the socket owns the state directory. */
export const owner: Caller = { role: 'operate', by: 'the owner', untilMs: null, known: true };

export class Callers {
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly #names: ReadonlySet<string>;
  readonly #clock: Clock;
  readonly #limit = new LoginLimit();
  readonly #onWrong: (address: string) => void;
  readonly #agentsShow: () => boolean;

  /**
   * @param names of this host, by which it may be asked. @param onWrong hears of who showed a wrong token, at most so often as
   * one may be tried. @param agentsShow whether agents of other hosts have to show a certificate beside their token
   */
  constructor(
    tokens: Tokens,
    sessions: Sessions,
    names: readonly string[],
    clock: Clock,
    onWrong: (address: string) => void = () => {},
    agentsShow: () => boolean = () => false,
  ) {
    this.#agentsShow = agentsShow;
    this.#onWrong = onWrong;
    this.tokens = tokens;
    this.sessions = sessions;
    this.#names = new Set(names.map((name) => name.toLowerCase()));
    this.#clock = clock;
  }

  /**
   * A token is a proof by itself: no page can make a browser show one. Everything else must come from where it may.
   * The right one is let in however many wrong ones came from its address, which others may share.
   * @throws API_TOKEN_NEEDED for a token that is none, LOGIN_REFUSED after too many of those, API_FORBIDDEN for a request
   * from elsewhere
   */
  callerOf(asked: Asked): Caller {
    const given = bearerIn(asked.headers.authorization);
    if (given !== undefined) {
      const token = this.tokens.find(given);
      if (token !== undefined && this.#isBare(token.name, asked)) {
        throw ApiForbidden(
          'this is the token of an agent, and no certificate of the deployment came with it',
          {
            hint: 'Agents show theirs (agent.tls). Programs get a token of their own: holdfast token make.',
          },
        );
      }
      if (token !== undefined) return { role: token.role, by: token.name, untilMs: null, known: true };
      this.#demandPatience(asked);
      this.#refuseWrong(asked, bearerHint);
    }
    const why = whyForeign(asked.headers, this.#names);
    if (why !== undefined) {
      throw ApiForbidden(`this request is refused: ${why}`, {
        hint: 'Ask by an address of this host, by localhost, or by a name in the spec; or show a token.',
      });
    }
    const session = this.sessions.find(asked.headers.cookie, this.#clock.wallMs());
    if (session !== undefined) {
      const { token, untilMs } = session;
      return { role: token.role, by: token.name, untilMs, known: true };
    }
    if (isFromHere(asked))
      return { role: 'read', by: 'somebody on this machine', untilMs: null, known: false };
    return { role: null, by: 'somebody', untilMs: null, known: false };
  }

  /** @throws API_TOKEN_NEEDED, LOGIN_REFUSED */
  login(given: string, asked: Asked): { cookie: string; caller: Caller } {
    const nowMs = this.#clock.wallMs();
    this.#demandPatience(asked);
    const token = this.tokens.find(given);
    if (token === undefined || token.name === agentTokenName) this.#refuseWrong(asked, tokensHint);
    const { cookie, untilMs } = this.sessions.open(token, nowMs);
    return { cookie, caller: { role: token.role, by: token.name, untilMs, known: true } };
  }

  /**
   * Whether what let in a request that is still answered would let it in now: its token, its session. A session that is over
   * ends it also where who shows none may look: so a page learns that it may do less than it says.
   * @param letIn as whom it was let in
   */
  mayStill(asked: Asked, letIn: Pick<Caller, 'known'>, needs: TokenRole): boolean {
    const given = bearerIn(asked.headers.authorization);
    if (given !== undefined) {
      const token = this.tokens.find(given);
      const isValid = token !== undefined && !this.#isBare(token.name, asked);
      return mayWith(isValid ? token.role : null, needs);
    }
    try {
      const now = this.callerOf(asked);
      return (now.known || !letIn.known) && mayWith(now.role, needs);
    } catch {
      return false;
    }
  }

  /** An agent whose token somebody else may have found. */
  #isBare(tokenName: string, { certified }: Asked): boolean {
    return tokenName === agentTokenName && !certified && this.#agentsShow();
  }

  /** @throws LOGIN_REFUSED */
  #demandPatience({ remoteAddress = '' }: Asked): void {
    const waitMs = this.#limit.waitMs(remoteAddress, this.#clock.wallMs());
    if (waitMs === 0) return;
    const seconds = Math.ceil(waitMs / 1000);
    throw LoginRefused('too many wrong tokens were tried', {
      hint: `Try again in ${seconds} s.`,
      cause: new ComeAgain(seconds),
    });
  }

  /** @throws API_TOKEN_NEEDED */
  #refuseWrong({ remoteAddress = '' }: Asked, hint: string): never {
    this.#limit.noteWrong(remoteAddress, this.#clock.wallMs());
    this.#onWrong(remoteAddress === '' ? 'an unknown address' : remoteAddress);
    throw ApiTokenNeeded('this is no token of the deployment', { hint });
  }

  logout({ headers }: Asked): string {
    return this.sessions.close(headers.cookie, this.#clock.wallMs());
  }
}

const tokensHint =
  'holdfast token shows and makes tokens. The deployment’s own are in api-token and api-operate-token of the state directory, on any host.';
const bearerHint = `${tokensHint} Send one as "Authorization: Bearer TOKEN".`;

/** Refuses who may not. @throws API_TOKEN_NEEDED, API_FORBIDDEN */
export function demand(caller: Caller, needs: 'open' | TokenRole): void {
  if (needs === 'open' || mayWith(caller.role, needs)) return;
  if (caller.known) {
    throw ApiForbidden(`the token ‘${caller.by}’ may look, and not change anything`, {
      hint: 'Show a token of the role operate: holdfast token make --role operate.',
    });
  }
  const what =
    needs === 'read'
      ? 'this API wants a token from other machines'
      : 'whoever changes something must show a token';
  throw ApiTokenNeeded(what, { hint: bearerHint });
}

function mayWith(role: TokenRole | null, needs: TokenRole): boolean {
  return role === 'operate' || (needs === 'read' && role === 'read');
}

function bearerIn(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  return /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? '';
}

/** Monit and the like ask the address that the API listens on, and so come from it. */
function isFromHere({ remoteAddress = '', localAddress }: Asked): boolean {
  const from = remoteAddress.replace(/^::ffff:/, '');
  return isLoopback(from) || (from !== '' && remoteAddress === localAddress);
}
