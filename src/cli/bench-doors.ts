import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { doorKinds, usualDoors } from '../bench/door-kinds.ts';
import { durabilities, readCount, readCounts, readWord, readWords } from './bench-options.ts';
import { benchAction } from './bench-run.ts';
import { BadOption } from './errors.ts';
import { type CommonOptions, verb } from './verb.ts';

interface DoorOptions extends CommonOptions {
  rounds: string;
  clients: string;
  pipeline: string;
  tests: string;
  requests: string;
  size: string;
  durability: string;
  doors: string;
  otherGate?: string;
}

const usualTests = 'set,get,incr,lpush,lpop,mset,lrange_100,lrange_600';

export function doorsVerb(): Command {
  const command = verb('doors', 'throughput and latency: direct, gate, HAProxy, twemproxy, in turns', [
    ['holdfast bench doors', 'every test, one request at a time and 16'],
    ['holdfast bench doors --tests set,get --clients 500', 'two tests, many clients'],
    [
      'holdfast bench doors --durability replicated',
      'also a gate that waits for two replicas, beside AOF always',
    ],
    [
      'holdfast bench doors --doors direct,mirror --tests get,set,lpush,lpop --pipeline 1 --size 3',
      'two standalone members, ack: all',
    ],
    ['holdfast bench doors --html doors.html', 'with bars, to show around'],
  ])
    .option('--rounds <count>', 'how often each door is measured', '5')
    .option('--clients <count>', 'connections', '50')
    .option('--pipeline <counts>', 'requests that a client sends at a time', '1,16')
    .option('--tests <names>', 'tests of redis-benchmark', usualTests)
    .option('--requests <count>', 'requests of one run; four times as many with a pipeline', '100000')
    .option('--size <bytes>', 'size of a value', '100')
    .option(
      '--durability <kind>',
      'async; or replicated: two replicas, a gate that waits for them, and AOF always',
      'async',
    )
    .option('--doors <kinds>', `which of them: ${doorKinds.join(', ')}`, usualDoors.join(','))
    .option('--other-gate <file>', "also another build's dist/gate/main.js");
  return benchAction<DoorOptions>(command, async (options, context) => {
    const { benchDoors } = await import('../bench/doors.ts');
    const { doorsResult } = await import('../bench/doors-page.ts');
    const { benchmarkTests } = await import('../bench/redis-benchmark.ts');
    const settings = {
      rounds: readCount('--rounds', options.rounds),
      requests: readCount('--requests', options.requests),
      clients: readCount('--clients', options.clients),
      pipelines: readCounts('--pipeline', options.pipeline),
      tests: readWords('--tests', options.tests, benchmarkTests),
      valueBytes: readCount('--size', options.size),
      durability: readWord('--durability', options.durability, durabilities),
      kinds: readWords('--doors', options.doors, doorKinds),
      otherGate: otherGate(options.otherGate),
    };
    const report = await benchDoors(settings, context);
    // twemproxy does not know every command; anything else that could not be measured is a failure.
    const failed = report.failures.some(({ door }) => door !== 'twemproxy');
    return { ...doorsResult(report), exitStatus: failed ? 1 : 0 };
  });
}

function otherGate(file: string | undefined): string | null {
  if (file === undefined) return null;
  if (existsSync(file)) return path.resolve(file);
  throw BadOption(`--other-gate: there is no ${file}`, {
    hint: "Name another build's dist/gate/main.js.",
  });
}
