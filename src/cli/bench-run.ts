/** What all benchmarks share on the command line: where results go, Ctrl-C, and a word on the machine first. */
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { errorText } from '../base/errors.ts';
import { describeMachine } from '../bench/machine.ts';
import type { BenchContext, BenchResult } from '../bench/result.ts';
import { renderCsv } from '../report/csv.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderPage } from '../report/render.ts';
import { BadOption, StoppedBySignal } from './errors.ts';
import type { Output } from './output.ts';
import { pageLines } from './page-lines.ts';
import { action, type CommonOptions } from './verb.ts';

interface OutputOptions extends CommonOptions {
  csv?: string;
  html?: string;
  markdown?: boolean;
}

/** Results are for others to read too. */
const resultMode = 0o644;

/**
 * Gives a benchmark its options for results, and runs it.
 * @param run returns the result, and the exit status if it is not 0; null when a person said no
 */
export function benchAction<Options extends CommonOptions>(
  command: Command,
  run: (
    options: Options,
    context: BenchContext,
    invocation: { args: string[]; output: Output },
  ) => Promise<(BenchResult & { exitStatus?: number }) | null>,
): Command {
  return command
    .option('--csv <file>', 'also write every single measurement as CSV')
    .option('--html <file>', 'also write a page with charts that loads nothing from elsewhere')
    .option('--markdown', 'print the tables as Markdown')
    .action(
      action<Options & OutputOptions>(async (output, args, options) => {
        for (const key of ['csv', 'html'] as const) await checkFile(`--${key}`, options[key]);
        const stop = stopOnSignals(output);
        const machine = await describeMachine();
        if (machine.warning !== null) output.note(`${output.colors.yellow('warning:')} ${machine.warning}`);
        const context = {
          command: commandLine(process.argv.slice(2)),
          machine,
          report: (line: string) => output.note(output.colors.dim(line)),
          signal: stop.signal,
        };
        const result = await run(options, context, { args, output });
        if (result === null) return 0;
        return present(output, options, result);
      }),
    );
}

/** Before an hour of measuring, not after it. */
async function checkFile(option: string, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  if ((await stat(file).catch(() => null))?.isDirectory()) {
    throw BadOption(`${option}: ${file} is a folder`, { hint: 'Name a file in it.' });
  }
  const folder = path.dirname(path.resolve(file));
  await access(folder, constants.W_OK).catch((cause) => {
    throw BadOption(`${option}: ${folder} can't be written to, or is not there`, {
      hint: 'Name a file in a folder that exists.',
      cause,
    });
  });
}

/** A second Ctrl-C must not end us before what was started is gone. */
function stopOnSignals(output: Output): AbortController {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      output.note(stop.signal.aborted ? 'still cleaning up…' : 'stopping, and cleaning up…');
      stop.abort(StoppedBySignal(`stopped by ${signal}`));
    });
  }
  return stop;
}

/** What was measured is printed first: a disk that is full by now must not take it along. @returns the exit status */
async function present(
  output: Output,
  options: OutputOptions,
  { data, page, csv, exitStatus }: BenchResult & { exitStatus?: number },
): Promise<number> {
  if (options.markdown) output.text(renderMarkdown(page).trimEnd());
  else for (const line of pageLines(page, output.colors)) output.line(line);
  output.data(data);
  const files: [file: string | undefined, text: () => string][] = [
    [options.csv, () => renderCsv(csv.header, csv.rows)],
    [options.html, () => renderPage(page)],
  ];
  let status = exitStatus ?? 0;
  for (const [file, text] of files) {
    if (file === undefined) continue;
    try {
      await writeFileAtomic(file, text(), resultMode);
      output.note(`wrote ${file}`);
    } catch (error) {
      output.note(`${output.colors.red('error:')} ${file} was not written: ${errorText(error)}`);
      status = 1;
    }
  }
  return status;
}

/** The command without what only says where results go: what makes the same table again. */
export function commandLine(args: readonly string[]): string {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (/^--(json|markdown|no-color|(csv|html)=.*)$/.test(arg)) continue;
    if (arg === '--csv' || arg === '--html') i++;
    else kept.push(/^[\w./:=,@+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`);
  }
  return ['holdfast', ...kept].join(' ');
}
