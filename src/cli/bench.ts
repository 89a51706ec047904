import { Command } from 'commander';
import { doorsVerb } from './bench-doors.ts';
import { failoverBenchVerb, switchoverBenchVerb } from './bench-failover.ts';

export function benchVerb(): Command {
  return new Command('bench')
    .description('measure, side by side with what people use today')
    .addCommand(doorsVerb())
    .addCommand(failoverBenchVerb())
    .addCommand(switchoverBenchVerb());
}
