import { statSync } from 'node:fs';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { errorCode } from '../base/errors.ts';
import { shown } from '../base/shown.ts';
import type { Conflict, MergeReport } from '../rdb/merge.ts';
import { conflictRules, type MergeInput, type OnConflict } from '../rdb/merge-input.ts';
import type { Output } from './output.ts';
import { openInputs, type RdbInput } from './rdb-input.ts';
import {
  chosenTarget,
  collectWhole,
  RdbOptionWrong,
  type TargetOptions,
  targetOptions,
} from './rdb-options.ts';
import type { RdbOutput } from './rdb-output.ts';
import { describeRate, describeTarget, keyAsJson, targetAsJson, UnloadableList } from './rdb-report.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface MergeVerbOptions extends CommonOptions, TargetOptions {
  output: string;
  onConflict: OnConflict;
  db?: string[];
  prefix?: string[];
  conflicts?: string;
}

const listed = 20;
const keptConflicts = 1000;

export function mergeVerb(): Command {
  const command = verb('merge', 'join files into one that a server can load', [
    ['holdfast rdb merge -o all.rdb a.rdb b.rdb', 'fails when a key is in both'],
    ['holdfast rdb merge -o all.rdb --on-conflict last a.rdb b.rdb', 'b.rdb wins'],
    ['holdfast rdb merge -o all.rdb --db 2:0=5 a.rdb b.rdb', 'database 0 of the second file becomes 5'],
    ['holdfast rdb merge -o all.rdb --prefix a: --prefix b: a.rdb b.rdb', 'a prefix for each file'],
  ])
    .argument('<file...>', 'RDB files, plain or packed with gzip or zstd; - is stdin')
    .requiredOption('-o, --output <file>', 'the file to write; - is stdout')
    .addOption(
      new Option('--on-conflict <rule>', 'when a key is in several files')
        .choices([...conflictRules])
        .default('fail'),
    )
    .option(
      '--db <move>',
      'move a database: FROM=TO, or FILE:FROM=TO for the nth file; repeat it',
      collectWhole,
    )
    .option('--prefix <text>', 'put before every key; once for all files, or once for each', collectWhole)
    .option('--conflicts <file>', 'write every conflict to this file, as lines of JSON');
  for (const option of targetOptions()) command.addOption(option);
  return command.action(
    action<MergeVerbOptions>(async (output, [files], options) => {
      const { inputs, dispose } = await openInputs(files as unknown as string[]);
      try {
        return await mergeAll(output, inputs, options);
      } finally {
        await dispose();
      }
    }),
  );
}

/** The list of conflicts is written over what is there: that may be neither the result nor what is read. */
function refuseOwnFile({ conflicts, output }: MergeVerbOptions, inputs: readonly RdbInput[]): void {
  if (conflicts === undefined) return;
  const own = identityOf(conflicts);
  const hint = 'Give it a name of its own.';
  if (identityOf(output) === own) throw RdbOptionWrong('--conflicts names the file that -o names', { hint });
  const input = inputs.find(({ name }) => identityOf(name) === own);
  if (input !== undefined) throw RdbOptionWrong(`--conflicts names ${input.name}, which is read`, { hint });
}

/** One file has one, by whatever name; a file that is not there yet has its name. */
function identityOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() ? `${found.dev} ${found.ino}` : path.resolve(file);
}

async function mergeAll(output: Output, inputs: RdbInput[], options: MergeVerbOptions): Promise<number> {
  const { mergeFiles } = await import('../rdb/merge.ts');
  const { RdbWriter } = await import('../rdb/writer.ts');
  const { openOutput, temporarySpill } = await import('./rdb-output.ts');
  const { RdbProgress } = await import('./rdb-progress.ts');
  const mergeInputs = withMoves(inputs, options);
  refuseOwnFile(options, inputs);
  const target = await chosenTarget(options);
  const unloadable = new UnloadableList();
  const conflicts = new ConflictList(options.conflicts);
  const spill = temporarySpill();
  let written: RdbOutput | undefined;
  let writer: InstanceType<typeof RdbWriter> | undefined;
  const progress = new RdbProgress(output, `merge into ${options.output}`, inputs, () => writer?.keys ?? 0);
  try {
    const report = await mergeFiles(
      mergeInputs,
      async (chosen) => {
        // A second call means that the first try was too narrow: what it wrote is thrown away.
        if (written?.isStdout)
          throw RdbOptionWrong('too many keys to merge into stdout', { hint: 'Name a file with -o.' });
        await written?.abandon();
        await conflicts.reset();
        written = await openOutput(options.output);
        writer = new RdbWriter(written.sink, chosen.flavor, chosen.version);
        return writer;
      },
      {
        onConflict: options.onConflict,
        ...(target === undefined ? {} : { target }),
        nowMs: Date.now(),
        spill,
        onConflictFound: conflicts.add,
        onUnloadable: unloadable.add,
        after: () => progress.tick() ?? written?.sink.drain() ?? conflicts.drain(),
      },
    );
    writer!.finish();
    // First what may fail and is no result.
    await conflicts.commit();
    await written!.commit();
    progress.done();
    tell(output, options, report, conflicts, unloadable, written!, progress.seconds);
    return unloadable.status(options);
  } catch (error) {
    progress.done();
    // They are what a person looks at now.
    if (errorCode(error) === 'RDB_CONFLICT') await conflicts.commit();
    if (!output.json) conflicts.tell(output);
    throw error;
  } finally {
    await written?.abandon();
    await conflicts.abandon();
    spill.dispose();
  }
}

function tell(
  output: Output,
  options: MergeVerbOptions,
  report: MergeReport,
  conflicts: ConflictList,
  unloadable: UnloadableList,
  written: RdbOutput,
  seconds: number,
): void {
  const bytes = written.sink.total;
  const say = written.isStdout ? output.note : output.line;
  if (!output.json) {
    if (report.conflicts > 0) conflicts.tell(output);
    for (const clash of report.functionClashes) output.note(`${shown(clash)}; the first one is kept`);
    for (const name of report.functionsUnseen) {
      output.note(
        `function library ${shown(name)} makes up names of functions when it runs: they were not compared`,
      );
    }
  }
  unloadable.tell(output, report.target);
  const data = {
    output: options.output,
    ...report,
    target: targetAsJson(report.target),
    bytes,
    conflictList: conflicts.asJson(),
    unloadable: unloadable.count,
    unloadableList: unloadable.asJson(),
    inPart: unloadable.inPartAsJson(),
  };
  if (written.isStdout && output.json) output.note(JSON.stringify(data));
  else output.data(data);
  if (!output.json) {
    say(
      `${options.output}: ${report.keysWritten} keys of ${report.keysRead} read, ${report.conflicts} in conflict, ` +
        `${describeTarget(report.target)} (${describeRate(bytes, seconds)})`,
    );
  }
}

/** Every conflict that was found: counted, the first thousand kept, all of them in a file when one was named. */
class ConflictList {
  private readonly file: string | undefined;
  private stream: RdbOutput | undefined;
  private kept: Conflict[] = [];
  private count = 0;

  constructor(file: string | undefined) {
    this.file = file;
  }

  add = (conflict: Conflict): void => {
    this.count++;
    if (this.kept.length < keptConflicts) this.kept.push(conflict);
    const line = Buffer.from(`${JSON.stringify(asJson(conflict))}\n`);
    this.stream?.sink.copy(line, 0, line.length);
  };

  drain(): Promise<void> | undefined {
    return this.stream?.sink.drain();
  }

  async reset(): Promise<void> {
    this.kept = [];
    this.count = 0;
    await this.abandon();
    if (this.file === undefined) return;
    const { openOutput } = await import('./rdb-output.ts');
    this.stream = await openOutput(this.file);
  }

  async commit(): Promise<void> {
    await this.stream?.commit();
    this.stream = undefined;
  }

  async abandon(): Promise<void> {
    await this.stream?.abandon();
    this.stream = undefined;
  }

  tell(output: Output): void {
    for (const { db, key, dropped } of this.kept.slice(0, listed)) {
      output.note(
        `conflict: database ${db}, key ${JSON.stringify(keyAsJson(key))}: the one in ${dropped} is dropped`,
      );
    }
    if (this.count > listed)
      output.note(`and ${this.count - listed} more; --conflicts FILE lists all of them`);
  }

  asJson(): object[] {
    return this.kept.map(asJson);
  }
}

function asJson({ db, key, dropped }: Conflict): object {
  return { db, key: keyAsJson(key), dropped };
}

function withMoves(inputs: RdbInput[], options: MergeVerbOptions): MergeInput[] {
  const prefixes = options.prefix ?? [];
  if (prefixes.length > 1 && prefixes.length !== inputs.length) {
    throw RdbOptionWrong(`--prefix is given ${prefixes.length} times for ${inputs.length} files`, {
      hint: 'Give it once for all files, or once for each, in their order.',
    });
  }
  const moves = (options.db ?? []).map((text) => {
    const match = /^(?:(\d+):)?(\d+)=(\d+)$/.exec(text);
    const file = match?.[1] === undefined ? undefined : Number(match[1]);
    if (!match || (file !== undefined && (file < 1 || file > inputs.length))) {
      throw RdbOptionWrong(`--db ${text} moves nothing`, {
        hint: 'Say FROM=TO, or FILE:FROM=TO with files from 1.',
      });
    }
    return { file, from: Number(match[2]), to: Number(match[3]) };
  });
  return inputs.map((input, index) => {
    const prefix = prefixes.length > 1 ? prefixes[index] : prefixes[0];
    const own = moves.filter(({ file }) => file === undefined || file === index + 1);
    return Object.assign(input, {
      prefix: Buffer.from(prefix ?? ''),
      dbs: new Map(own.map(({ from, to }) => [from, to])),
    });
  });
}
