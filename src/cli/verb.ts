import { Command, Option } from 'commander';
import { errorToJson } from '../base/error-wire.ts';
import { type HereOptions, specElsewhere, specFileOf, type Where, wordsThere } from './elsewhere.ts';
import { createOutput, type Output, wantsColor } from './output.ts';

/** Options that every verb takes. */
export interface CommonOptions {
  json?: boolean;
  color?: boolean;
}

/** What a verb returns: its exit status; nothing means 0. */
export type VerbResult = Promise<number | undefined | void>;

export const specArgument = ['[spec]', 'the spec file', 'holdfast.yaml'] as const;

/** A verb with the common options; `examples` are shown by --help, one command with its explanation each. */
export function verb(name: string, summary: string, examples: [command: string, meaning: string][]): Command {
  const width = Math.max(...examples.map(([command]) => command.length));
  const lines = examples.map(([command, meaning]) => `  ${command.padEnd(width)}  # ${meaning}`);
  return new Command(name)
    .description(summary)
    .option('--json', 'print one JSON document on stdout and nothing else')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

export function stateDirOption(): Option {
  return new Option('--state-dir <dir>', "the deployment's state directory, instead of the default one");
}

/**
 * Wraps a verb's work as a commander action: makes its Output, turns the exit status it returns into the
 * process's, and prints whatever it throws as the answer that a person needs.
 * @param where the hosts on which the verb is run when the spec's are reached by ssh; without it, always here.
 */
export function action<Options extends CommonOptions>(
  work: (output: Output, args: string[], options: Options) => VerbResult,
  where?: Where,
): (this: Command) => Promise<void> {
  return async function (this: Command) {
    const options = this.optsWithGlobals<Options>();
    const output = createOutput(options.json === true, wantsColor(options.color));
    try {
      process.exitCode =
        (where && (await runElsewhere(this, where, output))) ??
        (await work(output, this.processedArgs as string[], options)) ??
        process.exitCode ??
        0;
    } catch (error) {
      process.exitCode = printError(error, output);
    }
  };
}

/** @returns the exit status of the verb on other machines; undefined when it is for this one. */
async function runElsewhere(command: Command, where: Where, output: Output): Promise<number | undefined> {
  const { file, given } = specFileOf(command);
  const spec = await specElsewhere(file, command.optsWithGlobals<HereOptions>());
  if (spec === null) return undefined;
  const { runOnHosts } = await import('./on-hosts.ts');
  const words = wordsThere(spec, process.argv.slice(2), given ? file : null);
  const about = command.args.find((word) => word !== file) ?? null;
  return runOnHosts({ spec, where, words, about }, output);
}

/** Prints the error and returns the exit status that belongs to it. */
export function printError(error: unknown, output: Output): number {
  const shown = errorToJson(error);
  const { code, message, hint, exitStatus } = shown;
  if (output.json) output.data({ error: shown });
  else {
    output.note(`${output.colors.red('error:')} ${message} ${output.colors.dim(`[${code}]`)}`);
    if (hint !== undefined) output.note(`${output.colors.cyan('hint:')}  ${hint}`);
  }
  if (process.env['HOLDFAST_DEBUG'] && error instanceof Error) output.note(error.stack ?? '');
  return exitStatus;
}
