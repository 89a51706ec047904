import { rmdirSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { RdbHead } from '../rdb/head.ts';
import type { PartOf, SlotRange } from '../rdb/split.ts';
import type { RdbWriter } from '../rdb/writer.ts';
import type { Output } from './output.ts';
import { naming, openInput, type RdbInput } from './rdb-input.ts';
import { RdbOptionWrong, type TargetOptions, targetFor, targetOptions } from './rdb-options.ts';
import type { PartOutput } from './rdb-output.ts';
import { describeRate, describeTarget, targetAsJson, UnloadableList } from './rdb-report.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface SplitVerbOptions extends CommonOptions, TargetOptions {
  output: string;
  by: string;
  separator: string;
  slots: string;
}

/** Each part has a file open and buffers of its own. */
const maxParts = 256;

export function splitVerb(): Command {
  const command = verb('split', 'cut a file into several', [
    ['holdfast rdb split --by db -o parts dump.rdb', 'one file for each database'],
    [
      'holdfast rdb split --by prefix -o parts dump.rdb',
      'one for each prefix: what stands before the first colon',
    ],
    [
      'holdfast rdb split --by slot --slots 0-8191,8192-16383 -o parts dump.rdb',
      'for the shards of a cluster',
    ],
    ['holdfast rdb split --by 4 -o parts dump.rdb', 'four of about the same number of keys'],
  ])
    .argument('<file>', 'an RDB file, plain or packed with gzip or zstd; - is stdin')
    .requiredOption('-o, --output <folder>', 'where the files go; it is made if need be')
    .requiredOption('--by <what>', 'db, prefix, slot, or a number of files')
    .option('--separator <text>', 'what ends a prefix', ':')
    .option('--slots <ranges>', 'the slots of each file, with --by slot', '0-5460,5461-10922,10923-16383');
  for (const option of targetOptions()) command.addOption(option);
  return command.action(
    action<SplitVerbOptions>(async (output, [file = ''], options) => {
      return splitFile(output, await openInput(file), options);
    }),
  );
}

interface OpenPart {
  file: string;
  written: PartOutput;
  writer: RdbWriter;
}

async function splitFile(output: Output, input: RdbInput, options: SplitVerbOptions): Promise<number> {
  const { withHead } = await import('../rdb/head.ts');
  const partOf = await choosePart(options);
  return naming(
    input,
    withHead(input.open(), (head, whole) => splitWhole(output, input, options, partOf, head, whole)),
  );
}

async function splitWhole(
  output: Output,
  input: RdbInput,
  options: SplitVerbOptions,
  partOf: PartOf,
  head: RdbHead,
  whole: AsyncIterable<Buffer>,
): Promise<number> {
  const { splitInto } = await import('../rdb/split.ts');
  const { pump } = await import('../rdb/pump.ts');
  const { Scanner } = await import('../rdb/scanner.ts');
  const { RdbProgress } = await import('./rdb-progress.ts');
  const target = await targetFor(options, head);
  const unloadable = new UnloadableList();
  const { commitAll, makeOutputFolder, onInterrupt, openOutputSync } = await import('./rdb-output.ts');
  const madeFolder = await makeOutputFolder(options.output);
  const parts = new PartFiles(options.output, input.name);
  const keysWritten = () => parts.all.reduce((sum, { writer }) => sum + writer.keys, 0);
  const progress = new RdbProgress(output, `split ${input.name}`, [input], keysWritten);
  const { RdbWriter } = await import('../rdb/writer.ts');
  const takeBack = () => {
    if (madeFolder !== undefined) removeEmpty(options.output, madeFolder);
  };
  const settled = onInterrupt(takeBack);
  try {
    const handler = splitInto({
      partOf,
      target,
      inputAux: head.aux,
      nowMs: Date.now(),
      open: (name) =>
        parts.add(name, openOutputSync, (sink) => new RdbWriter(sink, target.flavor, target.version)),
      onUnloadable: unloadable.add,
    });
    const after = () => progress.tick() ?? parts.drain();
    await pump(whole, new Scanner(handler), { after });
    for (const { writer } of parts.all) writer.finish();
    await commitAll(
      parts.all.map(({ written }) => written),
      options.output,
    );
    settled();
  } catch (error) {
    for (const { written } of parts.all) await written.abandon();
    takeBack();
    settled();
    throw error;
  } finally {
    progress.done();
  }
  unloadable.tell(output, target);
  const files = parts.all.map(({ file, writer, written }) => ({
    file,
    keys: writer.keys,
    bytes: written.sink.total,
  }));
  output.data({
    target: targetAsJson(target),
    files,
    keys: keysWritten(),
    unloadable: unloadable.count,
    unloadableList: unloadable.asJson(),
    inPart: unloadable.inPartAsJson(),
  });
  for (const { file, keys } of files) output.line(`${file}: ${keys} keys`);
  output.line(
    `${files.length} files, ${keysWritten()} keys, ${describeTarget(target)} (${describeRate(input.taken, progress.seconds)})`,
  );
  return unloadable.status(options);
}

/** The folder, and those above it that were made with it, unless somebody put something there. */
function removeEmpty(folder: string, upTo: string): void {
  const last = path.resolve(upTo);
  try {
    for (let at = path.resolve(folder); at.startsWith(last); at = path.dirname(at)) rmdirSync(at);
  } catch {
    // What is not empty stays.
  }
}

class PartFiles {
  readonly all: OpenPart[] = [];
  private readonly folder: string;
  private readonly base: string;
  private readonly names = new Set<string>();

  constructor(folder: string, inputName: string) {
    this.folder = folder;
    this.base = path.basename(inputName).replace(/(\.rdb)?(\.gz|\.zst)?$/, '') || 'dump';
  }

  add(
    part: string,
    open: typeof import('./rdb-output.ts').openOutputSync,
    write: (sink: PartOutput['sink']) => RdbWriter,
  ): RdbWriter {
    if (this.all.length >= maxParts) {
      throw RdbOptionWrong(`this makes more than ${maxParts} files, the next would be for ${part}`, {
        hint: 'Split by something coarser, or filter first.',
      });
    }
    const file = path.join(this.folder, `${this.base}.${this.safeName(part)}.rdb`);
    const written = open(file);
    const writer = write(written.sink);
    this.all.push({ file, written, writer });
    return writer;
  }

  drain(): Promise<void> | undefined {
    const waiting = this.all
      .map(({ written }) => written.sink.drain())
      .filter((promise) => promise !== undefined);
    return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => {});
  }

  /** A name that any file system takes; two prefixes that differ only in odd characters stay apart. */
  private safeName(part: string): string {
    const safe = part.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 80);
    let name = safe;
    for (let more = 2; this.names.has(name.toLowerCase()); more++) name = `${safe}~${more}`;
    this.names.add(name.toLowerCase());
    return name;
  }
}

async function choosePart(options: SplitVerbOptions): Promise<PartOf> {
  const { partByCount, partByDb, partByPrefix, partBySlot } = await import('../rdb/split.ts');
  if (options.by === 'db') return partByDb();
  if (options.by === 'prefix') return partByPrefix(options.separator);
  if (options.by === 'slot') return partBySlot(parseRanges(options.slots));
  const count = Number(options.by);
  if (Number.isInteger(count) && count >= 1 && count <= maxParts) return partByCount(count);
  throw RdbOptionWrong(`cannot split by '${options.by}'`, {
    hint: `Say db, prefix, slot, or a number of files from 1 to ${maxParts}.`,
  });
}

function parseRanges(text: string): SlotRange[] {
  const ranges = text.split(',').map((range) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range.trim());
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || from > to || to > 16_383) {
      throw RdbOptionWrong(`'${range}' is not a range of slots`, {
        hint: 'Say ranges like 0-5460, within 0-16383.',
      });
    }
    return { from, to };
  });
  const inOrder = ranges.toSorted((a, b) => a.from - b.from);
  const overlap = inOrder.find(({ from }, i) => i > 0 && from <= inOrder[i - 1]!.to);
  if (overlap !== undefined) {
    throw RdbOptionWrong(`slot ${overlap.from} is in two of the ranges ${text}`, {
      hint: 'A key goes into one file: let each slot be in one range.',
    });
  }
  return ranges;
}
