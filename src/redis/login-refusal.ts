/** What is said of a login that a server refused: as whom, and whence the password was, which itself is told to nobody. Pure. */
import type { Credentials } from './endpoint.ts';

/**
 * @param says the server's reply
 * @returns what goes behind it in a message, and what to do; both empty where nobody noted whence the password was
 */
export function refusedLogin(
  says: string,
  credentials: Credentials | undefined,
): { asWhom: string; hint: string | undefined } {
  if (credentials?.from === undefined) return { asWhom: '', hint: undefined };
  const { from, username } = credentials;
  const user = username === '' ? 'the default user' : `the user ${username}`;
  return { asWhom: ` (as ${user}, with the password of ${from})`, hint: hintFor(says, user, from) };
}

function hintFor(says: string, user: string, from: string): string {
  if (says.includes('without any password configured'))
    return `${capital(user)} has no password there: leave the password out.`;
  return `The password of ${from} is not that of ${user} there, or the user is switched off: write down the right one, or log in as another (redis://USER@HOST:PORT).`;
}

function capital(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}
