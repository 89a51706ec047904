import { type Command, Option } from 'commander';
import type { KeyFilter } from '../rdb/filter.ts';
import type { Kind } from '../rdb/format.ts';
import type { RdbHead } from '../rdb/head.ts';
import type { Output } from './output.ts';
import { naming, openInput, type RdbInput } from './rdb-input.ts';
import {
  collect,
  collectWhole,
  RdbOptionWrong,
  share,
  type TargetOptions,
  targetFor,
  targetOptions,
} from './rdb-options.ts';
import { describeRate, describeTarget, targetAsJson, UnloadableList } from './rdb-report.ts';
import { action, type CommonOptions, verb } from './verb.ts';

/** Options that choose keys, for filter and for those who show a part of a file. */
export interface KeyOptions {
  match?: string[];
  type?: string[];
  db?: string[];
  expired: 'drop' | 'keep';
  sample?: number;
}

type KeyTest = ReturnType<typeof import('../rdb/filter.ts').keyTest>;

interface FilterVerbOptions extends CommonOptions, TargetOptions, KeyOptions {
  output: string;
}

const kinds = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'];

export function keyOptions(): Option[] {
  return [
    new Option(
      '--match <pattern>',
      'only keys like this, as KEYS has it: user:*; \\xNN is a byte; repeat it for more',
    ).argParser(collectWhole),
    new Option('--type <types>', `only these types: ${kinds.join(', ')}`).argParser(collect),
    new Option('--db <numbers>', 'only these databases').argParser(collect),
    new Option('--expired <what>', 'keys whose expiry has passed').choices(['drop', 'keep']).default('keep'),
    new Option('--sample <share>', 'only a share of the keys, always the same ones: 0.1 or 10%').argParser(
      share,
    ),
  ];
}

export function filterVerb(): Command {
  const command = verb('filter', 'write a file with some of the keys, or for another server', [
    ["holdfast rdb filter --match 'user:*' -o users.rdb dump.rdb", 'keys by pattern'],
    ['holdfast rdb filter --expired drop -o live.rdb dump.rdb', 'without what has expired'],
    ['holdfast rdb filter --for redis-6.2 -o old.rdb dump.rdb', 'everything, in a form that Redis 6.2 loads'],
  ])
    .argument('<file>', 'an RDB file, plain or packed with gzip or zstd; - is stdin')
    .requiredOption('-o, --output <file>', 'the file to write; - is stdout');
  for (const option of [...keyOptions(), ...targetOptions()]) command.addOption(option);
  return command.action(
    action<FilterVerbOptions>(async (output, [file = ''], options) => {
      return filterFile(output, await openInput(file), options);
    }),
  );
}

async function filterFile(output: Output, input: RdbInput, options: FilterVerbOptions): Promise<number> {
  const { withHead } = await import('../rdb/head.ts');
  const test = await chosenKeys(options);
  return naming(
    input,
    withHead(input.open(), (head, whole) => filterWhole(output, input, options, test, head, whole)),
  );
}

async function filterWhole(
  output: Output,
  input: RdbInput,
  options: FilterVerbOptions,
  test: KeyTest,
  head: RdbHead,
  whole: AsyncIterable<Buffer>,
): Promise<number> {
  const { filterInto } = await import('../rdb/filter.ts');
  const { pump } = await import('../rdb/pump.ts');
  const { Scanner } = await import('../rdb/scanner.ts');
  const { RdbWriter } = await import('../rdb/writer.ts');
  const { openOutput } = await import('./rdb-output.ts');
  const { RdbProgress } = await import('./rdb-progress.ts');
  const target = await targetFor(options, head);
  const unloadable = new UnloadableList();
  const written = await openOutput(options.output);
  const writer = new RdbWriter(written.sink, target.flavor, target.version);
  let keysRead = 0;
  const progress = new RdbProgress(output, `filter ${input.name}`, [input], () => keysRead);
  try {
    const handler = filterInto(writer, {
      test: (scanner) => {
        keysRead++;
        return test(scanner);
      },
      target,
      inputAux: head.aux,
      nowMs: Date.now(),
      onUnloadable: unloadable.add,
    });
    const after = () => progress.tick() ?? written.sink.drain();
    await pump(whole, new Scanner(handler), { after });
    writer.finish();
    await written.commit();
  } finally {
    progress.done();
    await written.abandon();
  }
  unloadable.tell(output, target);
  const bytes = written.sink.total;
  const data = {
    output: options.output,
    target: targetAsJson(target),
    keysRead,
    keysWritten: writer.keys,
    bytes,
    unloadable: unloadable.count,
    unloadableList: unloadable.asJson(),
    inPart: unloadable.inPartAsJson(),
  };
  if (written.isStdout) {
    output.note(output.json ? JSON.stringify(data) : `${writer.keys} keys of ${keysRead}`);
  } else {
    output.data(data);
    output.line(
      `${options.output}: ${writer.keys} keys of ${keysRead} read, ${describeTarget(target)} ` +
        `(${describeRate(input.taken, progress.seconds)})`,
    );
  }
  return unloadable.status(options);
}

/** The question that the options ask of each key. @throws RDB_OPTION_WRONG */
export async function chosenKeys(options: KeyOptions): Promise<KeyTest> {
  const { keyTest } = await import('../rdb/filter.ts');
  const { KeyPattern } = await import('../base/key-pattern.ts');
  const { patternBytes } = await import('../rdb/key-text.ts');
  const filter: KeyFilter = {};
  if (options.match !== undefined)
    filter.patterns = options.match.map((pattern) => new KeyPattern(patternBytes(pattern)));
  if (options.type !== undefined) {
    const unknown = options.type.find((kind) => !kinds.includes(kind));
    if (unknown !== undefined)
      throw RdbOptionWrong(`there is no type '${unknown}'`, { hint: `Say ${kinds.join(', ')}.` });
    filter.kinds = new Set(options.type as Kind[]);
  }
  if (options.db !== undefined) {
    const wrong = options.db.find((db) => !/^\d+$/.test(db));
    if (wrong !== undefined)
      throw RdbOptionWrong(`there is no database '${wrong}'`, { hint: 'Say numbers from 0.' });
    filter.dbs = new Set(options.db.map(Number));
  }
  if (options.expired === 'drop') filter.dropExpiredBefore = Date.now();
  if (options.sample !== undefined) filter.sample = options.sample;
  return keyTest(filter);
}
