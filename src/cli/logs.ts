import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { StatePaths } from '../agent/state/paths.ts';
import { parseLogLine } from '../base/log-line.ts';
import { pause } from '../base/retry.ts';
import { LogTail } from '../process/log-tail.ts';
import type { Spec } from '../spec/spec.ts';
import { specElsewhere } from './elsewhere.ts';
import { BadOption } from './errors.ts';
import { followPrinter, inOrder, type LoggedLine, printer } from './logged-line.ts';
import type { Output } from './output.ts';
import { processAndSpec } from './process-argument.ts';
import { openTarget } from './target.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

export interface LogsOptions extends CommonOptions {
  stateDir?: string;
  follow?: boolean;
  last: string;
}

const everyMs = 250;

export function logsVerb(): Command {
  return verb('logs', 'show what the processes wrote, of all hosts, by time', [
    ['holdfast logs', 'the last 50 lines of all processes together'],
    ['holdfast logs redis-2 --follow', 'of one member, Sentinel or gate, and what comes'],
    ['holdfast logs agent prod.yaml', 'of the agents, from a machine that reaches the hosts by ssh'],
  ])
    .argument('[process]', 'the id of one process, or agent; all when it is left out')
    .argument(...specArgument)
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('-n, --last <count>', 'how many lines of the past', '50')
    .addOption(stateDirOption())
    .action(action<LogsOptions>(logs));
}

async function logs(output: Output, args: string[], options: LogsOptions): Promise<number> {
  const { id, file } = processAndSpec(args);
  const last = Number(options.last);
  if (!Number.isInteger(last) || last < 0 || last > 100_000) {
    throw BadOption(`--last: '${options.last}' is no count up to 100000`, {
      hint: 'For example --last 200.',
    });
  }
  const asked = { id, last, follow: options.follow === true };
  const elsewhere = await specElsewhere(file, options);
  if (elsewhere !== null) return (await import('./logs-on-hosts.ts')).logsOfHosts(output, elsewhere, asked);
  const { spec, paths } = await openTarget(file, options);
  const sources = new LogSources(paths, id);
  refuseUnknown(spec, id, sources);
  const past = inOrder(sources.last(last)).slice(last === 0 ? Number.POSITIVE_INFINITY : -last);
  if (!asked.follow) {
    output.data(past);
    past.forEach(printer(output));
    return 0;
  }
  const print = followPrinter(output);
  for (const line of past) print(line);
  for (;;) {
    await pause(everyMs);
    for (const line of inOrder(sources.more())) print(line);
  }
}

/** A process of another host has no log here, which is no mistake. */
function refuseUnknown(spec: Spec, id: string | undefined, sources: LogSources): void {
  const ids = [...spec.members, ...spec.sentinels, ...spec.gates].map((place) => place.id);
  if (id === undefined || id === agentSource || ids.includes(id) || sources.any) return;
  throw BadOption(`${spec.name} has no process '${id}'`, {
    hint: `It has ${ids.join(', ')}, and agent.`,
  });
}

const agentSource = 'agent';

/** The logs of what runs, or ran, on this host. */
class LogSources {
  readonly #paths: StatePaths;
  readonly #only: string | undefined;
  readonly #tails = new Map<string, { tail: LogTail; lastMs: number }>();

  constructor(paths: StatePaths, only: string | undefined) {
    this.#paths = paths;
    this.#only = only;
    this.#look();
  }

  get any(): boolean {
    return this.#tails.size > 0;
  }

  last(count: number): LoggedLine[] {
    return [...this.#tails].flatMap(([process, { tail }]) => this.#lines(process, tail.last(count)));
  }

  /** Also of processes that are new since. */
  more(): LoggedLine[] {
    this.#look();
    return [...this.#tails].flatMap(([process, { tail }]) => this.#lines(process, tail.more()));
  }

  #look(): void {
    const { root, agentLog, events } = this.#paths;
    const kinds = ['members', 'sentinels', 'gates'].map((kind) => path.join(root, kind));
    const folders = kinds
      .filter(existsSync)
      .flatMap((kind) => readdirSync(kind).map((id) => [kind, id] as const));
    // Where its own output goes (a file, the journal) depends on how it was started; its events say all that it says there.
    const agent = existsSync(events) ? events : agentLog;
    const all = [
      ...folders.map(([kind, id]) => [id, path.join(kind, id, 'log')] as const),
      [agentSource, agent] as const,
    ];
    for (const [id, file] of all) {
      if ((this.#only !== undefined && this.#only !== id) || this.#tails.has(id) || !existsSync(file))
        continue;
      this.#tails.set(id, { tail: new LogTail(file), lastMs: 0 });
    }
  }

  #lines(process: string, lines: readonly string[]): LoggedLine[] {
    const source = this.#tails.get(process);
    return lines.map((line) => {
      const found = parseLogLine(line) ?? eventLine(line);
      if (found && source) source.lastMs = found.atMs;
      // What has no time goes on with the line before.
      return { at: new Date(source?.lastMs ?? 0).toISOString(), process, text: found?.text ?? line };
    });
  }
}

function eventLine(line: string): { atMs: number; text: string } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { at, text } = JSON.parse(line) as { at?: unknown; text?: unknown };
    const atMs = Date.parse(String(at));
    return Number.isNaN(atMs) ? undefined : { atMs, text: String(text) };
  } catch {
    return undefined;
  }
}
