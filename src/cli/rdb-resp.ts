import type { Command } from 'commander';
import { convertFile } from './rdb-convert.ts';
import { chosenKeys, type KeyOptions, keyOptions } from './rdb-filter.ts';
import { chosenTarget, type TargetOptions, targetOptions } from './rdb-options.ts';
import { UnloadableList } from './rdb-report.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface RespVerbOptions extends CommonOptions, KeyOptions, TargetOptions {
  output: string;
  replace?: boolean;
}

export function respVerb(): Command {
  const command = verb('resp', 'the commands that make the same keys in a running server', [
    ['holdfast rdb resp dump.rdb | redis-cli --pipe', 'into an empty server'],
    ['holdfast rdb resp --replace dump.rdb | redis-cli --pipe', 'over keys of the same names'],
  ])
    .argument('<file>', 'an RDB file, plain or packed with gzip or zstd; - is stdin')
    .option('-o, --output <file>', 'the file to write; - is stdout', '-')
    .option('--replace', 'delete each key before it is written');
  for (const option of [...keyOptions(), ...targetOptions()]) command.addOption(option);
  return command.action(
    action<RespVerbOptions>(async (output, [file = ''], options) => {
      const { RespWriter } = await import('../rdb/resp.ts');
      const test = await chosenKeys(options);
      const target = await chosenTarget(options);
      const unloadable = new UnloadableList();
      await convertFile(output, 'resp', file, options.output, (sink) => {
        const wish = { replace: options.replace === true, test, onUnloadable: unloadable.add };
        return new RespWriter(sink, target === undefined ? wish : { ...wish, target });
      });
      unloadable.tell(output, target ?? 'the newest server');
      return unloadable.status(options);
    }),
  );
}
