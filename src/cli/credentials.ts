import { errorText } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import type { Credentials } from '../redis/endpoint.ts';
import { BadOption } from './errors.ts';

/** Who asks, with the password in a file; undefined without one. @throws BAD_OPTION when it can't be read. */
export function credentialsFrom(username = '', file: string | undefined): Credentials | undefined {
  if (file === undefined) return undefined;
  try {
    return {
      username,
      password: readSecretFile(file)
        .toString('utf8')
        .replace(/\r?\n$/, ''),
    };
  } catch (cause) {
    throw BadOption(`cannot read the password file ${file}: ${errorText(cause)}`, {
      hint: 'It must be a regular file that only its owner can read.',
      cause,
    });
  }
}
