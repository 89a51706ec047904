import { Command } from 'commander';
import type { FailoverReport } from '../bench/failover.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface FailoverOptions extends CommonOptions {
  times: string;
  clients: string;
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
  return bench;
}

async function failover(output: Output, options: FailoverOptions): Promise<number> {
  const { benchFailover } = await import('../bench/failover.ts');
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new Error('stopped by Ctrl-C')));
  const reports = await benchFailover({
    times: count('--times', options.times),
    clients: count('--clients', options.clients),
    downAfterMs: count('--down-after', options.downAfter),
    report: (line) => output.note(output.colors.dim(line)),
    signal: stop.signal,
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
  const said = Object.entries(errors).map(([word, times]) => `${word} ${times}`);
  const figures = [kills, promotions, minMs, medianMs, p95Ms, maxMs, droppedConnections];
  return [name, ...figures.map(String), said.join(', ') || 'none'];
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw BadOption(`${option}: '${text}' is no count`, { hint: `For example ${option} 10.` });
}
