import type { Command } from 'commander';
import { persistences, readCount, readWords } from './bench-options.ts';
import { benchAction } from './bench-run.ts';
import { type CommonOptions, verb } from './verb.ts';

interface PersistenceOptions extends CommonOptions {
  modes: string;
  tests: string;
  rounds: string;
  requests: string;
  clients: string;
  size: string;
}

export function persistenceVerb(): Command {
  const command = verb(
    'persistence',
    'none, rdb, AOF every second and always: directly, through the gate, replicated',
    [
      ['holdfast bench persistence', 'SET, GET, LPUSH and LPOP in all four modes'],
      ['holdfast bench persistence --modes none,aof-always --tests set --rounds 1', 'a quick look'],
      ['TMPDIR=/data holdfast bench persistence', 'on the disk that counts'],
    ],
  )
    .option('--modes <names>', 'modes of persistence', persistences.join())
    .option('--tests <names>', 'tests of redis-benchmark', 'set,get,lpush,lpop')
    .option('--rounds <count>', 'how often each is measured', '3')
    .option('--requests <count>', 'requests of one run', '50000')
    .option('--clients <count>', 'connections', '50')
    .option('--size <bytes>', 'size of a value', '100');
  return benchAction<PersistenceOptions>(command, async (options, context) => {
    const { benchPersistence } = await import('../bench/persistence.ts');
    const { persistenceResult } = await import('../bench/persistence-page.ts');
    const { benchmarkTests } = await import('../bench/redis-benchmark.ts');
    const settings = {
      modes: readWords('--modes', options.modes, persistences),
      tests: readWords('--tests', options.tests, benchmarkTests),
      rounds: readCount('--rounds', options.rounds),
      requests: readCount('--requests', options.requests),
      clients: readCount('--clients', options.clients),
      valueBytes: readCount('--size', options.size),
    };
    return persistenceResult(await benchPersistence(settings, context));
  });
}
