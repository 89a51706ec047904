import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';

type MakeVerb = (program: Command) => Command;

/** Each verb's file is imported only when it is wanted, so that a command starts without what the others need. */
const verbs: Record<string, () => Promise<MakeVerb>> = {
  init: async () => (await import('./init.ts')).initVerb,
  adopt: async () => (await import('./adopt.ts')).adoptVerb,
  up: async () => (await import('./up.ts')).upVerb,
  down: async () => (await import('./down.ts')).downVerb,
  status: async () => (await import('./status.ts')).statusVerb,
  events: async () => (await import('./events.ts')).eventsVerb,
  logs: async () => (await import('./logs.ts')).logsVerb,
  switchover: async () => (await import('./switchover.ts')).switchoverVerb,
  failover: async () => (await import('./failover.ts')).failoverVerb,
  restart: async () => (await import('./restart.ts')).restartVerb,
  pause: async () => (await import('./pause.ts')).pauseVerb,
  resume: async () => (await import('./pause.ts')).resumeVerb,
  apply: async () => (await import('./apply.ts')).applyVerb,
  render: async () => (await import('./render.ts')).renderVerb,
  doctor: async () => (await import('./doctor.ts')).doctorVerb,
  size: async () => (await import('./size.ts')).sizeVerb,
  restore: async () => (await import('./restore.ts')).restoreVerb,
  backup: async () => (await import('./backup.ts')).backupVerb,
  rdb: async () => (await import('./rdb.ts')).rdbVerb,
  migrate: async () => (await import('./migrate.ts')).migrateVerb,
  mirror: async () => (await import('./mirror.ts')).mirrorVerb,
  bench: async () => (await import('./bench.ts')).benchVerb,
  drill: async () => (await import('./drill.ts')).drillVerb,
  rotate: async () => (await import('./rotate.ts')).rotateVerb,
  certs: async () => (await import('./certs.ts')).certsVerb,
  token: async () => (await import('./token.ts')).tokenVerb,
  gate: async () => (await import('./gate.ts')).gateVerb,
  completion: async () => (await import('./completion.ts')).completionVerb,
};

/**
 * The command line: one file per verb, registered above. A verb imports what it needs when it runs.
 * @param wanted the only verb that is needed; without one, or with `completion`, which lists them, all are there.
 */
export async function buildProgram(wanted?: string): Promise<Command> {
  const program = new Command('holdfast')
    .description('Redis that stays up, and that holds its clients while it does.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .showHelpAfterError('(holdfast --help lists the verbs; holdfast VERB --help explains one)')
    .showSuggestionAfterError(true);
  const isOne = wanted !== undefined && Object.hasOwn(verbs, wanted) && wanted !== 'completion';
  for (const load of isOne ? [verbs[wanted]!] : Object.values(verbs)) {
    program.addCommand((await load())(program));
  }
  applyToAll(program, (command) => command.exitOverride().configureHelp({ sortSubcommands: false }));
  return program;
}

/** Runs one command line and returns its exit status. */
export async function runProgram(args: string[]): Promise<number> {
  process.exitCode = 0;
  try {
    await (await buildProgram(args[0])).parseAsync(args, { from: 'user' });
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
