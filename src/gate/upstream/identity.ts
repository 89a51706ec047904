import { Buffer } from 'node:buffer';
import { writeRequest } from '../../resp/write.ts';

/**
 * Who a connection is to its server, and how it speaks: what connections are keyed by, and what a new one is told
 * first. User names and passwords are bytes: here they are latin1, which has one letter for each byte.
 *
 * - The key includes the password: whoever logged in with an old one never shares a connection with the new one.
 * - A user without the right to SELECT may have chosen its database before it logged in, as somebody else. So it is
 *   remembered who chose it (`selectedAs`), and a new connection does the same in the same order.
 */
export interface Login {
  readonly user: string;
  readonly password: string;
}

export interface Identity {
  /** null: the default user, as a connection starts. */
  readonly login: Login | null;
  readonly database: number;
  /** Who it was when it chose its database. */
  readonly selectedAs: Login | null;
  readonly protocol: 2 | 3;
}

export const newcomer: Identity = { login: null, database: 0, selectedAs: null, protocol: 2 };

/** Two connections with the same key are the same to their server. */
export function identityKey({ login, database, selectedAs, protocol }: Identity): string {
  const other =
    database === 0 || sameLogin(login, selectedAs) ? null : [selectedAs?.user, selectedAs?.password];
  return JSON.stringify([protocol, database, login?.user, login?.password, other]);
}

export function sameLogin(a: Login | null, b: Login | null): boolean {
  return a?.user === b?.user && a?.password === b?.password;
}

/** A request of the gate's own, how many replies it has, and whether a refusal means that nobody is let in. */
export interface Step {
  request: Buffer;
  replies: number;
  must: boolean;
}

/**
 * The requests that make a new connection this one, named so that the server's own CLIENT LIST shows what it is. HELLO
 * does both: no ACL refuses it, and its answer says the connection's id, so nothing runs as the client's user that the
 * client never asked for.
 */
export function introductionOf(identity: Identity, name: string): Step[] {
  const { login, database, selectedAs, protocol } = identity;
  const steps: Step[] = [];
  const say = (args: (string | Buffer)[], must: boolean) =>
    steps.push({ request: writeRequest(args), replies: 1, must });
  const select = () => {
    if (database !== 0) say(['SELECT', String(database)], true);
  };
  const chosenBefore = database !== 0 && !sameLogin(login, selectedAs);
  if (chosenBefore) {
    if (selectedAs !== null) say(['AUTH', ...bytesOf(selectedAs)], true);
    select();
  }
  const auth = login === null ? [] : ['AUTH', ...bytesOf(login)];
  say(['HELLO', String(protocol), ...auth, 'SETNAME', name], login !== null || protocol === 3);
  if (!chosenBefore) select();
  return steps;
}

/** A user as latin1, as the server would say it. */
export function userOf({ login }: Identity): string {
  return login?.user ?? 'default';
}

function bytesOf({ user, password }: Login): Buffer[] {
  return [Buffer.from(user, 'latin1'), Buffer.from(password, 'latin1')];
}

/** The connection's id in the answer to HELLO, in either protocol; null when there is none. */
export function idInHello(reply: string): number | null {
  const found = /\$2\r\nid\r\n:(\d+)\r/.exec(reply)?.[1];
  return found === undefined ? null : Number(found);
}
