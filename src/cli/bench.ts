import { Command } from 'commander';
import { doorsVerb } from './bench-doors.ts';
import { failoverBenchVerb, switchoverBenchVerb } from './bench-failover.ts';
import { killVerb } from './bench-kill.ts';
import { vusersVerb } from './bench-vusers.ts';

export function benchVerb(): Command {
  return new Command('bench')
    .description('measure, side by side with what people use today')
    .addCommand(doorsVerb())
    .addCommand(vusersVerb())
    .addCommand(killVerb())
    .addCommand(failoverBenchVerb())
    .addCommand(switchoverBenchVerb());
}
