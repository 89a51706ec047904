import type { Command } from 'commander';
import {
  durabilities,
  persistences,
  readCount,
  readDuration,
  readPercent,
  readWord,
  readWords,
} from './bench-options.ts';
import { benchAction } from './bench-run.ts';
import { type CommonOptions, verb } from './verb.ts';

interface KillOptions extends CommonOptions {
  instances: string;
  times: string;
  clients: string;
  think: string;
  reads: string;
  size: string;
  durability: string;
  persistence: string;
}

const usual = 'primary,replica,sentinel,gate';

export function killVerb(): Command {
  const command = verb(
    'kill',
    'throughput while an instance is killed, and the time until all is as before',
    [
      ['holdfast bench kill', 'primary, replica, Sentinel and gate, three times each'],
      ['holdfast bench kill --instances primary --times 10 --html kill.html', 'with its timeline'],
      ['holdfast bench kill --clients 1000 --think 200ms', 'more clients, each less eager'],
    ],
  )
    .option('--instances <kinds>', 'whom to kill', usual)
    .option('--times <count>', 'how often each is killed', '3')
    .option('--clients <count>', 'connections', '200')
    .option('--think <duration>', 'mean pause of a client between two requests', '50ms')
    .option('--reads <percent>', 'share of reads', '50')
    .option('--size <bytes>', 'size of a value', '100')
    .option('--durability <kind>', 'async or replicated', 'async')
    .option('--persistence <kind>', 'none, rdb, aof-everysec or aof-always', 'aof-everysec');
  return benchAction<KillOptions>(command, async (options, context) => {
    const { benchKill, killable } = await import('../bench/kill.ts');
    const { killResult } = await import('../bench/kill-page.ts');
    const settings = {
      instances: readWords('--instances', options.instances, killable),
      times: readCount('--times', options.times),
      clients: readCount('--clients', options.clients),
      thinkMs: readDuration('--think', options.think),
      readShare: readPercent('--reads', options.reads) / 100,
      valueBytes: readCount('--size', options.size),
      durability: readWord('--durability', options.durability, durabilities),
      persistence: readWord('--persistence', options.persistence, persistences),
    };
    return killResult(await benchKill(settings, context));
  });
}
