import type { Command } from 'commander';
import { type DeploymentEvent, readEvents } from '../agent/state/event-log.ts';
import { shown } from '../base/shown.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';
import { openTarget } from './target.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface EventsOptions extends CommonOptions {
  stateDir?: string;
  follow?: boolean;
  last: string;
}

const waitMs = 20_000;

export function eventsVerb(): Command {
  return verb('events', 'show what happened, newest last', [
    ['holdfast events', 'the last 50, also when no agent runs'],
    ['holdfast events --follow', 'and each that comes'],
  ])
    .argument(...specArgument)
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('-n, --last <count>', 'how many of the past ones', '50')
    .addOption(stateDirOption())
    .action(action<EventsOptions>(events, 'any-host'));
}

async function events(output: Output, [file = '']: string[], options: EventsOptions): Promise<number> {
  const last = Number(options.last);
  if (!Number.isInteger(last) || last < 0) {
    throw BadOption(`--last: '${options.last}' is no count`, { hint: 'For example --last 100.' });
  }
  const { agent, paths } = await openTarget(file, options);
  const past = last === 0 ? [] : readEvents(paths.events).slice(-last);
  if (!options.follow) {
    output.data(past);
    for (const event of past) printEvent(output, event);
    return 0;
  }
  const print = (event: DeploymentEvent) =>
    output.json ? output.dataLine(event) : printEvent(output, event);
  for (const event of past) print(event);
  let seen = past.at(-1)?.seq ?? readEvents(paths.events).at(-1)?.seq ?? 0;
  for (;;) {
    for (const event of await agent.events(seen, waitMs)) {
      print(event);
      seen = event.seq;
    }
  }
}

function printEvent(output: Output, { at, kind, subject, text }: DeploymentEvent): void {
  const { dim, cyan } = output.colors;
  const whom = text.includes(subject) ? '' : dim(` (${shown(subject)})`);
  output.line(`${dim(shown(at))} ${cyan(shown(kind))} ${shown(text)}${whom}`);
}
