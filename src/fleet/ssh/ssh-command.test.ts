import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellLine } from '../shell.ts';
import { commandAs, sshArguments } from './ssh-command.ts';

test('a shell takes a line apart into the words that it was made of', () => {
  const word = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', ''));
  const check = (words: string[]) => {
    const out = execFileSync('sh', ['-c', shellLine(['printf', '%s\\0', ...words])]);
    expect(out.toString('utf8').split('\0').slice(0, -1)).toEqual(words);
  };
  fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 30 }), check), { numRuns: 6 });
});

test('a script arrives as it is, through the login shell and the one that chooses', () => {
  const script = `printf '%s' "it's \\$HOME"`;
  const asRoot = commandAs('root', script, 'holdfast').replaceAll('id -u', 'echo 0');
  for (const command of [commandAs('login', script, 'holdfast'), asRoot])
    expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' })).toBe("it's $HOME");
});

test('an unknown host key is never accepted, and nothing is asked', () => {
  const words = sshArguments({ target: 'me@a', controlFolder: '/run/x' }, 'true');
  expect(words).toEqual(expect.arrayContaining(['StrictHostKeyChecking=yes', 'BatchMode=yes']));
  expect(words.slice(-3)).toEqual(['--', 'me@a', 'true']);
});
