import { errorText } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import { BadOption } from './errors.ts';

/** The age identities of a file as age-keygen writes it; of HOLDFAST_AGE_IDENTITY_FILE when no file is named. */
export async function readIdentities(file: string | undefined): Promise<string[]> {
  const name = file ?? process.env['HOLDFAST_AGE_IDENTITY_FILE'];
  if (!name) return [];
  const text = await readSecretFile(name).catch((cause) => {
    throw BadOption(`cannot read the age identities in ${name}: ${errorText(cause)}`, { cause });
  });
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('AGE-SECRET-KEY-'));
}
