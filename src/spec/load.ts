import { readFile } from 'node:fs/promises';
import { errorCode, errorText } from '../base/errors.ts';
import { SpecNotFound, SpecUnreadable } from './errors.ts';
import { parseSpec } from './parse.ts';
import type { Spec } from './spec.ts';

/**
 * Reads the spec in a file.
 * @throws SPEC_NOT_FOUND, SPEC_UNREADABLE, or SPEC_INVALID as parseSpec does.
 */
export async function loadSpec(file: string): Promise<Spec> {
  return parseSpec(await readSpecText(file), file);
}

async function readSpecText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      throw SpecNotFound(`there is no spec at ${file}`, {
        hint: 'Name the spec file, or write one: holdfast init.',
        cause: error,
      });
    }
    throw SpecUnreadable(`cannot read the spec ${file}: ${errorText(error)}`, {
      hint: 'The spec must be a file that this user may read.',
      cause: error,
    });
  }
}
