import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { applyVerb } from './apply.ts';
import { benchVerb } from './bench.ts';
import { completionVerb } from './completion.ts';
import { doctorVerb } from './doctor.ts';
import { downVerb } from './down.ts';
import { eventsVerb } from './events.ts';
import { failoverVerb } from './failover.ts';
import { gateVerb } from './gate.ts';
import { pauseVerb, resumeVerb } from './pause.ts';
import { rdbVerb } from './rdb.ts';
import { renderVerb } from './render.ts';
import { restartVerb } from './restart.ts';
import { sizeVerb } from './size.ts';
import { statusVerb } from './status.ts';
import { switchoverVerb } from './switchover.ts';
import { upVerb } from './up.ts';

const verbs: ((program: Command) => Command)[] = [
  upVerb,
  downVerb,
  statusVerb,
  eventsVerb,
  switchoverVerb,
  failoverVerb,
  restartVerb,
  pauseVerb,
  resumeVerb,
  applyVerb,
  renderVerb,
  doctorVerb,
  sizeVerb,
  rdbVerb,
  benchVerb,
  gateVerb,
  completionVerb,
];

/** The whole command line: one file per verb, registered here. A verb imports what it needs when it runs. */
export function buildProgram(): Command {
  const program = new Command('holdfast')
    .description('Redis that stays up, and that holds its clients while it does.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .showHelpAfterError('(holdfast --help lists the verbs; holdfast VERB --help explains one)')
    .showSuggestionAfterError(true);
  for (const verb of verbs) {
    program.addCommand(verb(program));
  }
  applyToAll(program, (command) => command.exitOverride().configureHelp({ sortSubcommands: false }));
  return program;
}

/** Runs one command line and returns its exit status. */
export async function runProgram(args: string[]): Promise<number> {
  process.exitCode = 0;
  try {
    await buildProgram().parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  return Number(process.exitCode ?? 0);
}

function applyToAll(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const child of command.commands) applyToAll(child, change);
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
