import type { Command } from 'commander';
import { describeSize } from '../base/size.ts';
import type { ByteSink } from '../rdb/byte-sink.ts';
import type { KeyMemory } from '../rdb/memory.ts';
import type { ScanState } from '../rdb/scan-state.ts';
import type { Output } from './output.ts';
import { type Converter, convertFile } from './rdb-convert.ts';
import { chosenKeys, type KeyOptions, keyOptions } from './rdb-filter.ts';
import { wholeNumber } from './rdb-options.ts';
import { keyAsJson } from './rdb-report.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface MemoryVerbOptions extends CommonOptions, KeyOptions {
  output: string;
  byPrefix?: boolean;
  separator: string;
  depth: number;
  top: number;
}

/** Prefixes beyond this many are added up as one, so that a file of unlike keys does not fill the memory. */
const maxPrefixes = 100_000;

export function memoryVerb(): Command {
  const command = verb('memory', 'an estimate of what keys take in memory: per key as CSV, or per prefix', [
    ['holdfast rdb memory dump.rdb > memory.csv', 'every key'],
    ['holdfast rdb memory --by-prefix dump.rdb', 'user:1, user:2… added up, the greatest first'],
  ])
    .argument('<file>', 'an RDB file, plain or packed with gzip or zstd; - is stdin')
    .option('-o, --output <file>', 'the file to write; - is stdout', '-')
    .option('--by-prefix', 'add up keys by what stands before the separator')
    .option('--separator <text>', 'what ends a prefix', ':')
    .option('--depth <n>', 'how many parts of a key make its prefix', wholeNumber, 1)
    .option('--top <n>', 'how many prefixes, types and keys to show', wholeNumber, 20);
  for (const option of keyOptions()) command.addOption(option);
  return command.action(
    action<MemoryVerbOptions>(async (output, [file = ''], options) => {
      const { MemoryEstimator } = await import('../rdb/memory.ts');
      const test = await chosenKeys(options);
      const sums = new Sums(options);
      const isCsv = !output.json && options.byPrefix !== true;
      const target = isCsv ? options.output : '-';
      await convertFile(output, 'memory', file, target, (sink) => {
        if (isCsv) sink.ascii('database,key,type,encoding,bytes,elements,longest_element,expires_at\n');
        const tell = (memory: KeyMemory, scanner: ScanState) => {
          if (isCsv) putRow(sink, memory, scanner);
          else sums.add(memory, scanner);
        };
        return new MemoryEstimator(test, tell) as Converter;
      });
      output.data(sums.report());
      if (options.byPrefix === true) sums.show(output);
    }),
  );
}

function putRow(sink: ByteSink, memory: KeyMemory, scanner: ScanState): void {
  const { db, kind, encoding, bytes, elements, longest, expireMs } = memory;
  sink.ascii(`${db},`);
  putCsvKey(sink, scanner);
  sink.ascii(`,${kind},${encoding},${bytes},${elements},${longest},${expireMs ?? ''}\n`);
}

/** In quotes, with bytes outside printable ASCII as \xNN, so that any program for CSV reads it. */
function putCsvKey(sink: ByteSink, { keyBuf, keyStart, keyEnd }: ScanState): void {
  sink.byte(0x22);
  for (let at = keyStart; at < keyEnd; at++) {
    const byte = keyBuf[at]!;
    if (byte === 0x22) sink.ascii('""');
    else if (byte === 0x5c) sink.ascii('\\\\');
    else if (byte >= 0x20 && byte < 0x7f) sink.byte(byte);
    else sink.ascii(`\\x${byte.toString(16).padStart(2, '0')}`);
  }
  sink.byte(0x22);
}

interface Sum {
  keys: number;
  bytes: number;
}

class Sums {
  private readonly prefixes = new Map<string, Sum>();
  private readonly types = new Map<string, Sum>();
  private readonly others: Sum = { keys: 0, bytes: 0 };
  private readonly total: Sum = { keys: 0, bytes: 0 };
  private readonly biggest: { key: Buffer; memory: KeyMemory }[] = [];
  private readonly separator: Buffer;
  private readonly depth: number;
  private readonly top: number;

  constructor(options: MemoryVerbOptions) {
    this.separator = Buffer.from(options.separator);
    this.depth = Math.max(1, options.depth);
    this.top = options.top;
  }

  add(memory: KeyMemory, scanner: ScanState): void {
    const prefix = this.prefixOf(scanner.keyBuf.subarray(scanner.keyStart, scanner.keyEnd));
    const known = this.prefixes.has(prefix) || this.prefixes.size < maxPrefixes;
    addTo(known ? sumIn(this.prefixes, prefix) : this.others, memory.bytes);
    addTo(sumIn(this.types, memory.kind), memory.bytes);
    addTo(this.total, memory.bytes);
    const least = this.biggest.at(-1);
    if (this.biggest.length < this.top || (least !== undefined && memory.bytes > least.memory.bytes)) {
      this.biggest.push({ key: scanner.copyKey(), memory });
      this.biggest.sort((one, other) => other.memory.bytes - one.memory.bytes);
      this.biggest.length = Math.min(this.biggest.length, this.top);
    }
  }

  report(): object {
    return {
      ...this.total,
      types: ranked(this.types).map(([kind, sum]) => ({ type: kind, ...sum })),
      prefixes: ranked(this.prefixes)
        .slice(0, this.top)
        .map(([prefix, sum]) => ({ prefix: keyAsJson(Buffer.from(prefix, 'latin1')), ...sum })),
      prefixCount: this.prefixes.size,
      biggest: this.biggest.map(({ key, memory: { kind, expireMs, ...facts } }) => ({
        key: keyAsJson(key),
        type: kind,
        ...facts,
        ...(expireMs === undefined ? {} : { expireMs }),
      })),
    };
  }

  show(output: Output): void {
    for (const [prefix, { keys, bytes }] of ranked(this.prefixes).slice(0, this.top)) {
      output.line(
        `${describeSize(bytes).padStart(10)}  ${String(keys).padStart(9)} keys  ${JSON.stringify(prefix)}`,
      );
    }
    const rest = this.prefixes.size - this.top;
    if (rest > 0) output.line(`and ${rest} more prefixes; --top shows more`);
    if (this.others.keys > 0)
      output.line(
        `${describeSize(this.others.bytes).padStart(10)}  in prefixes past the first ${maxPrefixes}`,
      );
    output.line(
      `${describeSize(this.total.bytes).padStart(10)}  ${String(this.total.keys).padStart(9)} keys in all`,
    );
  }

  private prefixOf(key: Buffer): string {
    let end = -1;
    for (let part = 0; part < this.depth; part++) {
      const next = key.indexOf(this.separator, end + 1);
      if (next < 0) break;
      end = next;
    }
    return end < 0 ? '' : key.toString('latin1', 0, end + this.separator.length);
  }
}

function sumIn(map: Map<string, Sum>, name: string): Sum {
  let sum = map.get(name);
  if (sum === undefined) {
    sum = { keys: 0, bytes: 0 };
    map.set(name, sum);
  }
  return sum;
}

function addTo(sum: Sum, bytes: number): void {
  sum.keys++;
  sum.bytes += bytes;
}

function ranked(map: Map<string, Sum>): [string, Sum][] {
  return [...map].sort(([, one], [, other]) => other.bytes - one.bytes);
}
