import type { Command } from 'commander';
import { defineError } from '../base/errors.ts';
import { action, verb } from './verb.ts';

const UnknownShell = defineError('UNKNOWN_SHELL', 2);

/** `holdfast completion bash|zsh|fish`: a script for the shell, made from the verbs themselves. */
export function completionVerb(program: Command): Command {
  return verb('completion', 'print a completion script for a shell', [
    ['holdfast completion bash > /etc/bash_completion.d/holdfast', 'for every user of bash'],
    ['holdfast completion zsh > "${fpath[1]}/_holdfast"', 'for zsh'],
    ['holdfast completion fish > ~/.config/fish/completions/holdfast.fish', 'for fish'],
  ])
    .argument('<shell>', 'bash, zsh or fish')
    .action(
      action(async (output, [shell = '']) => {
        const script = completionScript(program, shell);
        output.text(script);
        output.data({ shell, script });
      }),
    );
}

function completionScript(program: Command, shell: string): string {
  const verbs = program.commands.map((command) => ({
    name: command.name(),
    summary: command.description(),
    words: [
      ...command.commands.map((child) => child.name()),
      ...command.options.map((option) => option.long ?? option.short ?? ''),
      '--help',
    ],
  }));
  if (shell === 'bash') return bashScript(verbs);
  if (shell === 'zsh') return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(verbs)}`;
  if (shell === 'fish') return fishScript(verbs);
  throw UnknownShell(`no completion for '${shell}'`, { hint: 'Say bash, zsh or fish.' });
}

interface VerbWords {
  name: string;
  summary: string;
  words: string[];
}

function bashScript(verbs: VerbWords[]): string {
  const cases = verbs.map(({ name, words }) => `    ${name}) words="${words.join(' ')}" ;;`);
  return [
    '_holdfast() {',
    '  local current="$' + '{COMP_WORDS[COMP_CWORD]}" words',
    `  case "$\{COMP_WORDS[1]}" in`,
    ...cases,
    '  esac',
    `  if [ "$COMP_CWORD" -eq 1 ]; then words="${verbs.map(({ name }) => name).join(' ')}"; fi`,
    '  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -X "!*.y*ml" -- "$current"))',
    '}',
    'complete -o filenames -F _holdfast holdfast',
  ].join('\n');
}

function fishScript(verbs: VerbWords[]): string {
  const lines = verbs.flatMap(({ name, summary, words }) => [
    `complete -c holdfast -n __fish_use_subcommand -a ${name} -d '${summary.replaceAll("'", "\\'")}'`,
    ...words.map((word) => {
      const flag = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c holdfast -n '__fish_seen_subcommand_from ${name}' ${flag}`;
    }),
  ]);
  return lines.join('\n');
}
