import type { Command } from 'commander';
import { describeSize } from '../base/size.ts';
import type { InspectReport } from '../rdb/inspect.ts';
import type { Output } from './output.ts';
import { naming, openInput } from './rdb-input.ts';
import { wholeNumber } from './rdb-options.ts';
import { describeRate, keyAsJson } from './rdb-report.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface InspectOptions extends CommonOptions {
  top: number;
}

export function inspectVerb(): Command {
  return verb('inspect', 'what is in a file: databases, types, encodings, expiries, the biggest keys', [
    ['holdfast rdb inspect dump.rdb', 'as a table'],
    ['holdfast rdb inspect --top 50 --json dump.rdb', 'as JSON, with the fifty biggest keys'],
  ])
    .argument('<file>', 'an RDB file, plain or packed with gzip or zstd; - is stdin')
    .option('--top <n>', 'how many of the biggest keys to show', wholeNumber, 10)
    .action(
      action<InspectOptions>(async (output, [file = ''], options) => {
        const input = await openInput(file);
        const { Inspector } = await import('../rdb/inspect.ts');
        const { Scanner } = await import('../rdb/scanner.ts');
        const { pump } = await import('../rdb/pump.ts');
        const { RdbProgress } = await import('./rdb-progress.ts');
        const inspector = new Inspector({ nowMs: Date.now(), top: options.top });
        const scanner = new Scanner(inspector);
        const progress = new RdbProgress(output, `inspect ${input.name}`, [input], () => inspector.keys);
        try {
          await naming(input, pump(input.open(), scanner, { after: () => progress.tick() }));
        } finally {
          progress.done();
        }
        const report = inspector.report(scanner);
        // A key may have half a gigabyte: for people its start is enough.
        if (output.json) output.data({ file: input.name, ...report, biggest: report.biggest.map(bigAsJson) });
        await tell(output, input.name, report);
        output.text(`\nread in ${describeRate(report.bytes, progress.seconds)}`);
      }),
    );
}

function bigAsJson(big: InspectReport['biggest'][number]): object {
  const { kind, key, ...rest } = big;
  return { key: keyAsJson(key), type: kind, ...rest };
}

async function tell(output: Output, name: string, report: InspectReport): Promise<void> {
  const { quoteKey } = await import('../rdb/errors.ts');
  const { bold } = output.colors;
  const written = `${report.flavor === 'redis' ? 'RDB' : 'Valkey RDB'} version ${report.version}`;
  output.line(`${bold(name)}: ${written}, ${report.keys} keys, ${describeSize(report.bytes)}`);
  for (const [field, value] of Object.entries(report.aux)) output.line(`  ${field}: ${value}`);
  if (report.functions > 0) output.line(`  function libraries: ${report.functions}`);
  if (report.moduleAux > 0) output.line(`  module data outside the keys: ${report.moduleAux}`);
  const rows = (head: string[], lines: string[][]) => {
    if (lines.length === 0) return;
    output.line('');
    const all = [head, ...lines];
    const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
    for (const [index, line] of all.entries()) {
      const text = line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd();
      output.line(index === 0 ? bold(text) : text);
    }
  };
  const tally = ({ keys, bytes }: { keys: number; bytes: number }) => [String(keys), describeSize(bytes)];
  rows(
    ['database', 'keys', 'bytes'],
    report.databases.map((each) => [String(each.db), ...tally(each)]),
  );
  rows(
    ['type', 'encoding', 'keys', 'bytes'],
    report.encodings.map((each) => [each.type, each.encoding, ...tally(each)]),
  );
  if (report.expiring > 0) {
    const time = (ms: bigint | undefined) => describeTime(ms);
    output.text(
      `\nexpiring: ${report.expiring} (${report.expired} already expired), ` +
        `first ${time(report.firstExpiryMs)}, last ${time(report.lastExpiryMs)}`,
    );
  }
  rows(
    ['biggest key', 'database', 'type', 'bytes'],
    report.biggest.map(({ key, db, kind, bytes }) => [quoteKey(key), String(db), kind, describeSize(bytes)]),
  );
}

/** A file may hold any number; a date has only these. */
function describeTime(ms: bigint | undefined): string {
  const date = new Date(Number(ms));
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
