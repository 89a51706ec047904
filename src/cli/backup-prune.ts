import type { Command } from 'commander';
import { pruneBackups } from '../backup/prune.ts';
import { openBackupTarget } from './backup-target.ts';
import { interruptible } from './interrupt.ts';
import { table } from './table.ts';
import { tellBackups } from './tell-backups.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface PruneVerbOptions extends CommonOptions {
  stateDir?: string;
  dryRun?: boolean;
}

export function backupPruneVerb(): Command {
  return verb('prune', 'remove the backups that backup.keep does not keep; never the newest', [
    ['holdfast backup prune --dry-run', 'what would go, what would stay, and why'],
    ['holdfast backup prune', 'remove it'],
  ])
    .argument(...specArgument)
    .option('--dry-run', 'remove nothing')
    .addOption(stateDirOption())
    .action(
      action<PruneVerbOptions>(async (output, [file = ''], options) => {
        const { spec, agent, backup, store, holder } = await openBackupTarget('prune', file, options);
        const dryRun = options.dryRun === true;
        const result = await interruptible((signal) =>
          pruneBackups({
            store,
            deployment: spec.name,
            keep: backup.keep,
            timezone: backup.timezone,
            holder,
            dryRun,
            signal,
            report: (line) => output.note(line),
          }),
        );
        if (!dryRun) await tellBackups(output, agent, {});
        const verdict = dryRun ? 'would go' : 'removed';
        const rows = [
          ...result.remove.map(({ backup: { id, startedAt }, why }) => ({
            id,
            startedAt,
            what: verdict,
            why,
          })),
          ...result.keep.map(({ backup: { id, startedAt }, why }) => ({ id, startedAt, what: 'stays', why })),
        ].toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
        for (const line of table(rows.map(({ id, what, why }) => [id, what, why]))) output.line(line);
        for (const { name } of result.leftovers)
          output.line(`${name}  ${verdict}  its backup was never finished`);
        for (const { id, why } of result.broken) output.note(`${id} is broken and was left alone: ${why}`);
        output.line(
          `${result.remove.length} ${verdict}, ${result.keep.length} ${dryRun ? 'would stay' : 'stay'} in ${store.url}`,
        );
        output.data({
          dryRun,
          removed: result.remove.map(({ backup: { id }, why }) => ({ id, why })),
          kept: result.keep.map(({ backup: { id }, why }) => ({ id, why })),
          leftovers: result.leftovers.map(({ name }) => name),
          broken: result.broken,
        });
      }, 'any-host'),
    );
}
