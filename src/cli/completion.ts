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

export function completionScript(program: Command, shell: string): string {
  const verbs = program.commands.map((command) => ({
    ...wordsOf(command),
    children: command.commands.map(wordsOf),
  }));
  if (shell === 'bash') return bashScript(verbs);
  if (shell === 'zsh') return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(verbs)}`;
  if (shell === 'fish') return fishScript(verbs);
  throw UnknownShell(`no completion for '${shell}'`, { hint: 'Say bash, zsh or fish.' });
}

interface Words {
  name: string;
  summary: string;
  options: string[];
}

interface VerbWords extends Words {
  children: Words[];
}

function wordsOf(command: Command): Words {
  const shown = command.options.filter(({ hidden }) => !hidden);
  const options = [...shown.map((option) => option.long ?? option.short ?? ''), '--help'];
  return { name: command.name(), summary: command.description(), options };
}

function namesOf(words: readonly Words[]): string {
  return words.map(({ name }) => name).join(' ');
}

function bashScript(verbs: VerbWords[]): string {
  const ofVerbs = verbs.map(
    ({ name, options, children }) =>
      `    ${name}) words="${[namesOf(children), ...options].join(' ').trim()}" ;;`,
  );
  const ofChildren = verbs.flatMap(({ name, children }) =>
    children.map((child) => `      "${name} ${child.name}") words="${child.options.join(' ')}" ;;`),
  );
  return [
    '_holdfast() {',
    '  local current="$' + '{COMP_WORDS[COMP_CWORD]}" words',
    `  case "$\{COMP_WORDS[1]}" in`,
    ...ofVerbs,
    '  esac',
    '  if [ "$COMP_CWORD" -gt 2 ]; then',
    `    case "$\{COMP_WORDS[1]} $\{COMP_WORDS[2]}" in`,
    ...ofChildren,
    '    esac',
    '  fi',
    `  if [ "$COMP_CWORD" -eq 1 ]; then words="${namesOf(verbs)}"; fi`,
    '  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -X "!*.y*ml" -- "$current"))',
    '}',
    'complete -o filenames -F _holdfast holdfast',
  ].join('\n');
}

function fishScript(verbs: VerbWords[]): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = verbs.flatMap(({ name, summary, options, children }) => {
    const seen = `__fish_seen_subcommand_from ${name}`;
    const own =
      children.length === 0 ? seen : `${seen}; and not __fish_seen_subcommand_from ${namesOf(children)}`;
    const flags = (when: string, words: string[]) =>
      words.map((word) => `complete -c holdfast -n ${quoted(when)} -l ${word.replace(/^--?/, '')}`);
    return [
      `complete -c holdfast -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...children.map(
        (child) => `complete -c holdfast -n ${quoted(own)} -f -a ${child.name} -d ${quoted(child.summary)}`,
      ),
      ...flags(own, options),
      ...children.flatMap((child) =>
        flags(`${seen}; and __fish_seen_subcommand_from ${child.name}`, child.options),
      ),
    ];
  });
  return lines.join('\n');
}
