import { errorText } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import { BadOption } from './errors.ts';

/** The age identities of a file as age-keygen writes it; of HOLDFAST_AGE_IDENTITY_FILE when no file is named. */
export function readIdentities(file: string | undefined): string[] {
  const name = file ?? process.env['HOLDFAST_AGE_IDENTITY_FILE'];
  if (!name) return [];
  return readText(name)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('AGE-SECRET-KEY-'));
}

function readText(file: string): string {
  try {
    return readSecretFile(file).toString('utf8');
  } catch (cause) {
    throw BadOption(`cannot read the age identities in ${file}: ${errorText(cause)}`, { cause });
  }
}
