import type { Command } from 'commander';
import type { AgentClient } from '../agent/api/agent-client.ts';
import type { MemberStatus, Status } from '../agent/api/status-answer.ts';
import type { Drift } from '../agent/settings/drift-harm.ts';
import { describeDrift } from '../agent/settings/drift-watch.ts';
import { describeDuration } from '../base/duration.ts';
import { errorText } from '../base/errors.ts';
import { pause } from '../base/retry.ts';
import { shownIn } from '../base/shown.ts';
import { describeSize } from '../base/size.ts';
import { backupLines } from './backup-lines.ts';
import { printMirrors } from './mirror-table.ts';
import { fittedTable } from './narrow.ts';
import type { Output } from './output.ts';
import { createScreen } from './screen.ts';
import { openTarget } from './target.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface StatusOptions extends CommonOptions {
  stateDir?: string;
  watch?: boolean;
}

const watchEveryMs = 1000;

export function statusVerb(): Command {
  return verb('status', 'show who is primary, and how everyone is', [
    ['holdfast status', 'a table'],
    ['holdfast status --json | jq -r .primary', 'the id of the primary'],
    ['holdfast status --watch', 'redrawn every second; in a pipe, told anew when it changes'],
  ])
    .argument(...specArgument)
    .option('-w, --watch', 'show it again every second, until Ctrl-C')
    .addOption(stateDirOption())
    .action(action<StatusOptions>(status, 'any-host'));
}

/** Exit status 3 when it is not healthy. */
async function status(output: Output, [file = '']: string[], options: StatusOptions): Promise<number> {
  const { agent } = await openTarget(file, options);
  if (!options.watch) {
    const found = await agent.status();
    print(output, found);
    return found.state === 'healthy' ? 0 : 3;
  }
  if (output.json) return eachSecond(async () => output.dataLine(await agent.status()));
  const screen = createScreen(process.stdout);
  let known: { found: Status; flow: string; at: string } | null = null;
  let lost = '';
  const linesOf = (found: Status) => {
    const lines: string[] = [];
    const { isTTY, columns = 80 } = process.stdout;
    const room = isTTY ? columns : Number.POSITIVE_INFINITY;
    print({ ...output, line: (text) => lines.push(output.shown(text)) }, found, room);
    return lines;
  };
  const show = () => {
    if (known === null) return;
    const { found, flow } = known;
    const head = lost === '' ? [] : [output.shown(lost)];
    screen.show(
      [...head, ...linesOf(found), ...(flow === '' ? [] : [flow])],
      [...head, ...linesOf(steady(found))],
    );
  };
  const draw = async () => {
    try {
      const found = await agent.status();
      // An agent of a release before this one has no answer to that, or says less.
      const flow = await agent
        .view()
        .then(flowOf)
        .catch(() => '');
      known = { found, flow, at: new Date().toISOString() };
      lost = '';
    } catch (error) {
      // Who watches while agents come and go wants to see when this one is back.
      if (known === null) throw error;
      lost = output.colors.red(`not live: ${errorText(error)}; as it was at ${known.at}`);
    }
    show();
  };
  process.stdout.on('resize', show);
  try {
    return await eachSecond(draw);
  } finally {
    screen.end();
  }
}

/** What goes through the gates, in one line. Empty when they tell nothing. */
function flowOf({ clients, members }: Awaited<ReturnType<AgentClient['view']>>): string {
  const { connected, held, commandsPerSecond, errorsPerSecond, latency } = clients;
  const p99 = Math.max(latency.read?.p99Ms ?? 0, latency.write?.p99Ms ?? 0);
  const lag = Math.max(0, ...members.map(({ lagMs }) => lagMs ?? 0));
  const figures = [
    `${connected} clients, ${held} held`,
    `${Math.round(commandsPerSecond)} commands/s, ${Math.round(errorsPerSecond)} errors/s`,
    `p99 ${p99 === 0 ? '-' : `${p99.toFixed(1)} ms`}`,
    `largest lag ${describeDuration(Math.round(lag))}`,
  ];
  return figures.join(' · ');
}

/** Until it fails, or Ctrl-C. */
async function eachSecond(work: () => Promise<unknown>): Promise<never> {
  for (;;) {
    await work();
    await pause(watchEveryMs);
  }
}

/** Without what changes by itself from second to second, which is no news for who is told of changes only. */
function steady(found: Status): Status {
  return {
    ...found,
    members: found.members.map((each) => ({ ...each, ...still, lagBytes: null })),
    sentinels: found.sentinels.map((each) => ({ ...each, ...still })),
    gates: found.gates.map((each) => ({ ...each, stateForMs: null, clients: 0 })),
    backup: found.backup === null ? null : { ...found.backup, ageMs: found.backup.ageMs === null ? null : 0 },
  };
}

const still = { stateForMs: null, seenAgeMs: null };

/** Of the table, what is missed least where there is no room for all. */
const goesFirst = ['PID', 'RESTARTS', 'HOST', 'ADDRESS', 'LAG', 'ROLE'];

/** @param room how wide a line may be */
function print(output: Output, told: Status, room = Number.POSITIVE_INFINITY): void {
  const found = shownIn(told);
  const { bold, green, yellow, red, dim } = output.colors;
  const paint = found.state === 'healthy' ? green : found.state === 'degraded' ? yellow : red;
  const paused = found.paused ? yellow(' paused') : '';
  output.line(
    `${bold(found.name)} is ${paint(found.state)}${paused}, primary ${bold(found.primary ?? 'unknown')}, epoch ${found.epoch}`,
  );
  if (found.operation) output.line(yellow(`${found.operation} is under way`));
  for (const problem of found.problems) output.line(`  ${paint('!')} ${problem}`);
  output.line('');
  const rows = [
    ['ID', 'HOST', 'ADDRESS', 'ROLE', 'STATE', 'PID', 'LAG', 'RESTARTS'],
    ...found.members.map((member) => memberRow(member)),
    ...found.sentinels.map(({ id, host, address, port, seenAgeMs, pid, primary, ...stated }) => [
      id,
      host,
      `${address}:${port}`,
      'sentinel',
      stateText({ ...stated, seenAgeMs }),
      text(pid),
      '',
      primary ? `${seenAgeMs === null ? 'names' : 'named'} ${primary}` : '',
    ]),
    ...found.gates.map(({ id, host, address, port, replicaPort, pid, clients, ...stated }) => [
      id,
      host,
      `${address}:${port}${replicaPort ? `, ${replicaPort}` : ''}`,
      'gate',
      stateText(stated),
      text(pid),
      '',
      `${clients} clients`,
    ]),
  ];
  for (const [index, line] of fittedTable(rows, room, goesFirst).entries())
    output.line(index === 0 ? dim(line) : line);
  if (found.backup) for (const line of ['', ...backupLines(found.backup, output.colors)]) output.line(line);
  if (found.mirrors.length > 0) output.line('');
  printMirrors(output, found.mirrors);
  printDrift(output, found.drift);
  output.data(told);
}

/** No reason to call it unhealthy, and gone when another becomes primary. */
function printDrift(output: Output, drift: readonly Drift[]): void {
  if (drift.length === 0) return;
  const { yellow, dim } = output.colors;
  output.line('');
  for (const each of drift) output.line(`${yellow('drift')} ${describeDrift(each)}`);
  output.line(dim('holdfast apply undoes it; holdfast apply --adopt-drift takes it into the spec'));
}

function memberRow(member: MemberStatus): string[] {
  const { id, host, address, port, role, seenAgeMs, pid, lagBytes, restarts } = member;
  const was = seenAgeMs === null ? '' : 'was ';
  const lag = role === 'primary' || lagBytes === null ? '' : `${was}${describeSize(lagBytes)}`;
  return [id, host, `${address}:${port}`, role ?? '-', stateText(member), text(pid), lag, String(restarts)];
}

type Stated = { state: string; stateForMs: number | null; seenAgeMs?: number | null };

/** What else is said of one that does not answer is as old as that. */
function stateText({ state, stateForMs, seenAgeMs = null }: Stated): string {
  if (stateForMs !== null) return `${state}, for ${describeDuration(Math.round(stateForMs / 1000) * 1000)}`;
  if (seenAgeMs === null) return state;
  return `${state}, seen ${describeDuration(Math.round(seenAgeMs / 1000) * 1000)} ago`;
}

function text(pid: number | null): string {
  return pid === null ? '-' : String(pid);
}
