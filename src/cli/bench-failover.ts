import type { Command } from 'commander';
import { readCount, readWord } from './bench-options.ts';
import { benchAction } from './bench-run.ts';
import { type CommonOptions, verb } from './verb.ts';

interface LoadOptions extends CommonOptions {
  times: string;
  hosts: string;
  clients: string;
}

const hostsHelp = '1: all on this machine; 3: between hosts in network namespaces, which needs root';

interface FailoverOptions extends LoadOptions {
  downAfter: string;
}

export function failoverBenchVerb(): Command {
  const command = verb(
    'failover',
    'kill the primary under load, many times: holdfast beside Sentinel alone',
    [
      ['holdfast bench failover', '30 kills of each, in turn'],
      ['holdfast bench failover --times 5 --json', 'quicker, as data'],
      ['holdfast bench failover --hosts 3', 'between three hosts of a network'],
    ],
  )
    .option('--times <count>', 'how often the primary is killed', '30')
    .option('--clients <count>', 'connections that write', '8')
    .option('--hosts <count>', hostsHelp, '1')
    .option('--down-after <ms>', 'down-after-milliseconds of the Sentinels that run alone', '1000');
  return benchAction<FailoverOptions>(command, async (options, context) => {
    const { benchFailover } = await import('../bench/failover.ts');
    const { failoverResult } = await import('../bench/failover-page.ts');
    const downAfterMs = readCount('--down-after', options.downAfter);
    const hosts = readHosts(options.hosts);
    return failoverResult(await benchFailover({ ...readLoad(options), downAfterMs, hosts }, context));
  });
}

export function switchoverBenchVerb(): Command {
  const command = verb('switchover', 'move the primary under load, many times: waits, errors and losses', [
    ['holdfast bench switchover', '30 switchovers'],
    ['holdfast bench switchover --times 5 --markdown', 'quicker, as Markdown'],
  ])
    .option('--times <count>', 'how often the primary is moved', '30')
    .option('--clients <count>', 'connections that write', '8')
    .option('--hosts <count>', hostsHelp, '1');
  return benchAction<LoadOptions>(command, async (options, context) => {
    const { benchSwitchover } = await import('../bench/switchover.ts');
    const { switchoverResult } = await import('../bench/switchover-page.ts');
    const report = await benchSwitchover({ ...readLoad(options), hosts: readHosts(options.hosts) }, context);
    const harmed =
      report.lost.length > 0 || report.droppedConnections > 0 || Object.keys(report.errors).length > 0;
    return { ...switchoverResult(report), exitStatus: harmed ? 3 : 0 };
  });
}

function readHosts(text: string): 'one' | 'three' {
  return readWord('--hosts', text, ['1', '3'] as const) === '1' ? 'one' : 'three';
}

function readLoad({ times, clients }: LoadOptions): { times: number; clients: number } {
  return { times: readCount('--times', times), clients: readCount('--clients', clients) };
}
