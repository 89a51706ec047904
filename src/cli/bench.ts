import { Command } from 'commander';
import type { FailoverReport } from '../bench/failover.ts';
import { BadOption, StoppedBySignal } from './errors.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface LoadOptions extends CommonOptions {
  times: string;
  clients: string;
}

interface FailoverOptions extends LoadOptions {
  downAfter: string;
}

export function benchVerb(): Command {
  const bench = new Command('bench').description('measure, side by side with what people use today');
  bench.addCommand(
    verb('failover', 'kill the primary under load, many times: holdfast beside Sentinel alone, in turn', [
      ['holdfast bench failover', '30 kills of each'],
      ['holdfast bench failover --times 5 --json', 'quicker, as data'],
    ])
      .option('--times <count>', 'how often the primary is killed', '30')
      .option('--clients <count>', 'connections that write', '8')
      .option('--down-after <ms>', 'down-after-milliseconds of the Sentinels that run alone', '1000')
      .action(action<FailoverOptions>((output, _args, options) => failover(output, options))),
  );
  bench.addCommand(
    verb('switchover', 'move the primary under load, many times: waits, errors and losses', [
      ['holdfast bench switchover', '30 switchovers'],
    ])
      .option('--times <count>', 'how often the primary is moved', '30')
      .option('--clients <count>', 'connections that write', '8')
      .action(action<LoadOptions>((output, _args, options) => switchover(output, options))),
  );
  return bench;
}

async function switchover(output: Output, options: LoadOptions): Promise<number> {
  const { benchSwitchover } = await import('../bench/switchover.ts');
  const report = await benchSwitchover(loadOptions(output, options));
  const { switchovers, acknowledged, lost, minMs, medianMs, p95Ms, maxMs, droppedConnections, errors } =
    report;
  output.line('Longest wait of any write during a switchover, in ms:');
  const figures = [switchovers, minMs, medianMs, p95Ms, maxMs, acknowledged, lost.length, droppedConnections];
  const header = ['SWITCHOVERS', 'MIN', 'MEDIAN', 'P95', 'MAX', 'WRITES', 'LOST', 'DROPPED', 'ERRORS'];
  for (const line of table([header, [...figures.map(String), errorList(errors)]])) output.line(line);
  output.data(report);
  return lost.length > 0 || droppedConnections > 0 || Object.keys(errors).length > 0 ? 3 : 0;
}

/** The common part of the options, and Ctrl-C. */
function loadOptions(output: Output, { times, clients }: LoadOptions) {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort(StoppedBySignal(`stopped by ${signal}`)));
  }
  return {
    times: count('--times', times),
    clients: count('--clients', clients),
    report: (line: string) => output.note(output.colors.dim(line)),
    signal: stop.signal,
  };
}

function errorList(errors: Record<string, number>): string {
  return (
    Object.entries(errors)
      .map(([word, times]) => `${word} ${times}`)
      .join(', ') || 'none'
  );
}

async function failover(output: Output, options: FailoverOptions): Promise<number> {
  const { benchFailover } = await import('../bench/failover.ts');
  const reports = await benchFailover({
    ...loadOptions(output, options),
    downAfterMs: count('--down-after', options.downAfter),
  });
  output.line('Time without an acknowledged write after kill -9 of the primary, in ms:');
  for (const line of table([
    ['', 'KILLS', 'PROMOTIONS', 'MIN', 'MEDIAN', 'P95', 'MAX', 'DROPPED', 'ERRORS'],
    ...reports.map(reportRow),
  ])) {
    output.line(line);
  }
  output.data(reports);
  return 0;
}

function reportRow(report: FailoverReport): string[] {
  const { name, kills, promotions, minMs, medianMs, p95Ms, maxMs, droppedConnections, errors } = report;
  const figures = [kills, promotions, minMs, medianMs, p95Ms, maxMs, droppedConnections];
  return [name, ...figures.map(String), errorList(errors)];
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw BadOption(`${option}: '${text}' is no count`, { hint: `For example ${option} 10.` });
}
