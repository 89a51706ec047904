import { createInterface } from 'node:readline/promises';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';

/** Asks a yes-or-no question on the terminal. @throws BAD_OPTION when there is no terminal and no `--yes`. */
export async function confirm(output: Output, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    throw BadOption('this needs an answer, and there is no terminal to ask on', { hint: 'Add --yes.' });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return true;
    output.note('Nothing was changed.');
    return false;
  } finally {
    terminal.close();
  }
}
