import path from 'node:path';
import type { Command } from 'commander';
import type { ApplyResult } from '../agent/change/apply-spec.ts';
import { shownValue } from '../agent/settings/shown-value.ts';
import { adoptDrift } from './adopt-drift.ts';
import { askAgent } from './ask-agent.ts';
import { confirm } from './confirm.ts';
import { specElsewhere } from './elsewhere.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';
import { collectWhole } from './rdb-options.ts';
import { table } from './table.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface ApplyOptions extends CommonOptions {
  stateDir?: string;
  dryRun?: boolean;
  yes?: boolean;
  adoptDrift?: boolean;
  forget?: string[];
  rollback?: boolean;
}

export function applyVerb(): Command {
  return verb('apply', 'bring what runs to what the spec says, showing the difference first', [
    ['holdfast apply --dry-run', 'show the difference only'],
    ['holdfast apply prod.yaml', 'on the hosts that the spec reaches by ssh: install, start, change'],
    ['holdfast apply --yes', 'without asking'],
    ['holdfast apply --adopt-drift', 'take what was changed by CONFIG SET into the spec first'],
  ])
    .argument(...specArgument)
    .option('--dry-run', 'show what would change, and change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--adopt-drift', 'first write into the spec what the primary runs with and the spec does not say')
    .option(
      '--forget <host>',
      'a host that is gone for good and not in the spec any more; repeat it for more',
      collectWhole,
    )
    .option('--rollback', 'on hosts reached by ssh: back to the holdfast that they had before')
    .addOption(stateDirOption())
    .action(action<ApplyOptions>(apply));
}

/** On this machine, or on the hosts that the spec reaches by ssh. @returns the exit status */
export async function apply(output: Output, [file = '']: string[], options: ApplyOptions): Promise<number> {
  const elsewhere = await specElsewhere(file, options);
  if (elsewhere !== null) {
    if (options.adoptDrift) {
      throw BadOption('--adopt-drift asks the agent of this machine, and the spec is for others', {
        hint: 'On a host: holdfast apply --adopt-drift --dry-run with its spec and --state-dir shows what it would take.',
      });
    }
    return (await import('./apply-hosts.ts')).applyToHosts(output, elsewhere, file, options);
  }
  if (options.forget !== undefined || options.rollback) {
    const option = options.rollback ? '--rollback' : '--forget';
    throw BadOption(`${option} is for hosts that are reached by ssh, and the spec is for this machine`, {
      hint: 'Leave it out here. docs/running/servers.md says how hosts are reached.',
    });
  }
  const ask = (dryRun: boolean) =>
    askAgent<ApplyResult>(output, file, options, 'apply', { file: path.resolve(file), dryRun });
  let planned = await ask(true);
  const adoption = options.adoptDrift ? await adoptDrift(output, file, options) : null;
  if (adoption?.written) planned = await ask(true);
  const answer = (result: ApplyResult) => output.data(adoption === null ? result : { ...result, adoption });
  print(output, planned);
  const isRefused = planned.changes.some(({ takes }) => takes === 'down-and-up');
  if (planned.changes.length === 0 || options.dryRun) {
    if (isRefused)
      output.line('apply refuses what takes down and up: holdfast down, then holdfast up with this spec.');
    answer(planned);
    return isRefused ? 1 : 0;
  }
  if (!isRefused && !(await confirm(output, 'Apply these changes?', options.yes === true))) {
    answer(planned);
    return 1;
  }
  const result = await ask(false);
  const waiting = result.changes.filter(({ takes }) => takes === 'restart').map(({ where }) => where);
  output.line(whatWasDone(result.changes.length, waiting.length));
  for (const id of new Set(waiting))
    output.line(`${id} takes what waits when it is restarted: holdfast restart ${id}`);
  answer(result);
  return 0;
}

/** @returns `applied 1 change; 2 changes wait for a restart` */
export function whatWasDone(all: number, waiting: number): string {
  const counted = (count: number) => `${count} ${count === 1 ? 'change' : 'changes'}`;
  const applied = all === waiting && all > 0 ? '' : `applied ${counted(all - waiting)}`;
  const waits = waiting === 0 ? '' : `${counted(waiting)} ${waiting === 1 ? 'waits' : 'wait'} for a restart`;
  return [applied, waits].filter(Boolean).join('; ');
}

function print(output: Output, { changes }: ApplyResult): void {
  if (changes.length === 0) {
    output.line('Everything is as the spec says.');
    return;
  }
  const rows = changes.map(({ where, what, from, to, takes }) => [
    where,
    what,
    shownValue(what, from),
    '→',
    shownValue(what, to),
    takes,
  ]);
  for (const line of table([['WHERE', 'WHAT', 'NOW', '', 'WANTED', 'TAKES'], ...rows])) output.line(line);
  for (const { where, what, steps = [] } of changes) {
    if (steps.length > 0) output.line(`${where}, ${what}:`);
    for (const [index, step] of steps.entries()) output.line(`  ${index + 1}. ${step}`);
  }
}
