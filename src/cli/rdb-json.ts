import type { Command } from 'commander';
import { convertFile } from './rdb-convert.ts';
import { chosenKeys, type KeyOptions, keyOptions } from './rdb-filter.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface JsonVerbOptions extends CommonOptions, KeyOptions {
  output: string;
  lines?: boolean;
}

export function jsonVerb(): Command {
  const command = verb('json', 'keys and values as JSON', [
    ['holdfast rdb json dump.rdb | jq .', 'one array'],
    ["holdfast rdb json --lines --match 'user:*' dump.rdb", 'one object a line, some of the keys'],
  ])
    .argument('<file>', 'an RDB file, plain or packed with gzip or zstd; - is stdin')
    .option('-o, --output <file>', 'the file to write; - is stdout', '-')
    .option('--lines', 'one object a line instead of one array');
  for (const option of keyOptions()) command.addOption(option);
  return command.action(
    action<JsonVerbOptions>(async (output, [file = ''], options) => {
      const { JsonWriter } = await import('../rdb/json.ts');
      const test = await chosenKeys(options);
      await convertFile(output, 'json', file, options.output, (sink) => {
        return new JsonWriter(sink, { lines: options.lines === true, test });
      });
    }),
  );
}
