import type { Command } from 'commander';
import { diffVerb } from './rdb-diff.ts';
import { filterVerb } from './rdb-filter.ts';
import { inspectVerb } from './rdb-inspect.ts';
import { jsonVerb } from './rdb-json.ts';
import { memoryVerb } from './rdb-memory.ts';
import { mergeVerb } from './rdb-merge.ts';
import { respVerb } from './rdb-resp.ts';
import { splitVerb } from './rdb-split.ts';
import { verifyVerb } from './rdb-verify.ts';
import { verb } from './verb.ts';

/** `holdfast rdb …`: everything about RDB files. docs/rdb.md says what each verb promises. */
export function rdbVerb(): Command {
  const group = verb('rdb', 'read, check, join, cut and convert RDB files', [
    ['holdfast rdb verify dump.rdb', 'is this file whole?'],
    ['holdfast rdb inspect dump.rdb.gz', 'what is in it?'],
    ['holdfast rdb merge -o all.rdb a.rdb b.rdb', 'one file out of two'],
    ['holdfast rdb resp dump.rdb | redis-cli --pipe', 'load it into a running server'],
  ]);
  const verbs = [
    inspectVerb,
    verifyVerb,
    mergeVerb,
    splitVerb,
    filterVerb,
    diffVerb,
    jsonVerb,
    respVerb,
    memoryVerb,
  ];
  for (const make of verbs) group.addCommand(make());
  return group;
}
