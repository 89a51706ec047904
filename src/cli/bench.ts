import { Command } from 'commander';
import { appVerb } from './bench-app.ts';
import { doorsVerb } from './bench-doors.ts';
import { failoverBenchVerb, switchoverBenchVerb } from './bench-failover.ts';
import { idleVerb } from './bench-idle.ts';
import { killVerb } from './bench-kill.ts';
import { persistenceVerb } from './bench-persistence.ts';
import { vusersVerb } from './bench-vusers.ts';

export function benchVerb(): Command {
  return new Command('bench')
    .description('measure, side by side with what people use today')
    .addHelpText(
      'after',
      '\nEach starts what it measures, and ends it. holdfast bench NAME --help shows its options and examples;\n--json, --csv FILE, --html FILE and --markdown say where results go.',
    )
    .addCommand(doorsVerb())
    .addCommand(persistenceVerb())
    .addCommand(vusersVerb())
    .addCommand(appVerb())
    .addCommand(killVerb())
    .addCommand(failoverBenchVerb())
    .addCommand(switchoverBenchVerb())
    .addCommand(idleVerb());
}
