import { errorText } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import type { Credentials } from '../redis/endpoint.ts';
import { BadOption } from './errors.ts';

/**
 * Who asks, with the password in a file; undefined without both.
 * @throws BAD_OPTION when the file can't be read or holds no password, and for a user without one
 */
export function credentialsFrom(
  username: string | undefined,
  file: string | null | undefined,
): Credentials | undefined {
  if (file) return { username: username ?? '', password: passwordIn(file), from: `the file ${file}` };
  if (!username) return undefined;
  throw BadOption(`the user ${username} has no password file`, {
    hint: 'Name a file that only its owner can read, with the option for it (--help).',
  });
}

function passwordIn(file: string): string {
  try {
    const text = readSecretFile(file)
      .toString('utf8')
      .replace(/\r?\n$/, '');
    if (text === '' || /[\r\n\0]/.test(text)) throw new Error('it must hold one line');
    return text;
  } catch (cause) {
    throw BadOption(`cannot read the password file ${file}: ${errorText(cause)}`, {
      hint: 'It must be a regular file that only its owner can read.',
      cause,
    });
  }
}
