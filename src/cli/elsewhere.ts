/**
 * Verbs from the operator's laptop. A spec whose hosts have `ssh` and that has no state on this machine runs elsewhere: the
 * verb is run there, by the holdfast that `apply` has put there, as the user that owns the state. Its output, its exit
 * status, and on a terminal its keys, are passed through.
 */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { stateDirOf } from '../agent/state/paths.ts';
import { readFileIfThere } from '../base/atomic-file.ts';
import { installedSpec, installedState, program } from '../render/installed.ts';
import { parseSpec } from '../spec/parse.ts';
import type { Spec } from '../spec/spec.ts';

/**
 * Which hosts a verb is for: one whose agent answers; each, all at once; each in turn, the primary's last; or that of the
 * process that it names, and without one each in turn.
 */
export type Where = 'any-host' | 'every-host' | 'in-turn' | 'owner';

/** Options that say that this machine is meant. */
export interface HereOptions {
  stateDir?: string;
  host?: string;
  root?: string;
  /** A file of this machine. */
  identity?: string;
}

/** The spec, when what it describes runs on other machines; null: the verb is for this one. */
export async function specElsewhere(
  file: string,
  { stateDir, host, root = '/', identity }: HereOptions,
): Promise<Spec | null> {
  if (stateDir !== undefined || host !== undefined || identity !== undefined || root !== '/') return null;
  // Parsing takes longer than most verbs that need no parsing here.
  const text = await readFileIfThere(file).catch(() => undefined);
  if (text === undefined || !/\bssh\b/.test(text)) return null;
  const spec = parseSpec(text, file);
  const isElsewhere =
    spec.hosts.some(({ ssh }) => ssh !== null) && !existsSync(stateDirOf(spec.name, undefined));
  return isElsewhere ? spec : null;
}

/** The spec file of a command line, as the verbs take it. */
export function specFileOf({ args, registeredArguments }: Command): { file: string; given: boolean } {
  const place = registeredArguments.findIndex((argument) => argument.name() === 'spec');
  const file = args.find((word) => /\.ya?ml$/.test(word)) ?? args[place];
  return file === undefined ? { file: 'holdfast.yaml', given: false } : { file, given: true };
}

/** The words of this command line, with the spec and the state of the hosts in the place of those here. */
export function wordsThere(spec: Spec, words: readonly string[], file: string | null): string[] {
  const at = file === null ? -1 : words.lastIndexOf(file);
  const named = at === -1 ? [...words, installedSpec(spec)] : words.with(at, installedSpec(spec));
  return [program, ...named, '--state-dir', installedState(spec)];
}
