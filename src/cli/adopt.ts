import { type Command, Option } from 'commander';
import { parseDuration } from '../base/duration.ts';
import type { AdoptOptions } from './adopt-options.ts';
import { specElsewhere } from './elsewhere.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';
import { action, specArgument, stateDirOption, verb } from './verb.ts';

/** `holdfast adopt`: servers and Sentinels that run become a deployment, without a restart. */
export function adoptVerb(): Command {
  return verb('adopt', 'take over servers and Sentinels that run, without a restart', [
    [
      'holdfast init --from redis://127.0.0.1:6379 --members 3',
      'first: the spec of a server that runs, with two more beside it',
    ],
    ['holdfast adopt --dry-run', 'what would be taken over, started and changed, and what speaks against it'],
    ['holdfast adopt --yes', 'do it; clients of the old address notice nothing'],
    [
      'holdfast adopt prod.yaml',
      'on all hosts that the spec reaches by ssh: holdfast is installed there first',
    ],
    ['holdfast adopt prod.yaml --host a', 'what runs on this host, which is a; then on the others'],
    ['holdfast restart --rolling', 'later: servers that were taken over begin anew with their own files'],
  ])
    .argument(...specArgument)
    .option('--dry-run', 'only look: change nothing, here or there')
    .option('-y, --yes', 'do not ask')
    .option('--user <user>', 'who may do everything at the servers (default with a password: default)')
    .option('--password-file <file>', 'the password for it, in a file that only its owner reads')
    .option('--sentinel-user <user>', 'the same at the Sentinels')
    .option('--sentinel-password-file <file>', 'the password there')
    .option('--supervisor-off', 'what started them (supervisord, monit…) was told not to start them again')
    .option('--host <id>', 'which host of the spec this is')
    .option(
      '--users-only',
      "give the servers and Sentinels of all hosts holdfast's users, and nothing else yet",
    )
    .option('--no-start', 'do not start the agent: something else does (systemd)')
    .addOption(new Option('--access-stdin', 'users and passwords as JSON on standard input').hideHelp())
    .option(
      '--wait <duration>',
      'how long the new replicas may take to copy before the command ends (default: 60s)',
    )
    .addOption(stateDirOption())
    .action(action<AdoptOptions>(adopt));
}

async function adopt(output: Output, [file = '']: string[], options: AdoptOptions): Promise<number> {
  const readyWithinMs = parseDuration(options.wait ?? '60s');
  if (readyWithinMs === undefined)
    throw BadOption(`--wait: '${options.wait}' is no duration`, { hint: 'For example 90s or 5m.' });
  const elsewhere = await specElsewhere(file, options);
  if (elsewhere !== null)
    return (await import('./adopt-hosts.ts')).adoptOnHosts(output, elsewhere, file, options);
  return (await import('./adopt-here.ts')).adoptHere(output, file, { ...options, readyWithinMs });
}
