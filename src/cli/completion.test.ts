import { spawnSync } from 'node:child_process';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { completionScript } from './completion.ts';

const program = new Command('holdfast');
program.command('status').description("show how it's going").option('--watch', 'go on');
const migrate = program.command('migrate').option('--to <target>', 'where').option('--prefix <text>', 'what');
migrate.command('cutover').description('change over').option('--gate <socket>', 'a gate');

/** What bash offers behind these words. */
function offered(...words: string[]): string[] {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const asks = `COMP_WORDS=(holdfast ${typed}); COMP_CWORD=${words.length}; _holdfast; printf '%s\n' "\${COMPREPLY[@]}"`;
  const { stdout } = spawnSync('bash', ['-c', `${completionScript(program, 'bash')}\n${asks}`], { cwd: '/' });
  return stdout
    .toString()
    .split('\n')
    .filter((word) => word !== '');
}

test('bash offers verbs, what stands below them, and the options of each', () => {
  expect(offered('')).toEqual(['status', 'migrate']);
  expect(offered('status', '--')).toEqual(['--watch', '--help']);
  expect(offered('migrate', 'c')).toEqual(['cutover']);
  expect(offered('migrate', '--')).toEqual(['--to', '--prefix', '--help']);
  expect(offered('migrate', 'cutover', '--')).toEqual(['--gate', '--help']);
  expect(offered('migrate', 'redis://a', '--pre')).toEqual(['--prefix']);
});

test('fish has the same, with what each verb does', () => {
  const lines = completionScript(program, 'fish').split('\n');
  expect(lines).toContain(
    `complete -c holdfast -n __fish_use_subcommand -a status -d 'show how it\\'s going'`,
  );
  const migrates = '__fish_seen_subcommand_from migrate; and';
  expect(lines).toContain(
    `complete -c holdfast -n '${migrates} not __fish_seen_subcommand_from cutover' -f -a cutover -d 'change over'`,
  );
  expect(lines).toContain(
    `complete -c holdfast -n '${migrates} __fish_seen_subcommand_from cutover' -l gate`,
  );
});
