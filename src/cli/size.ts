import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { parseDuration } from '../base/duration.ts';
import { defineError } from '../base/errors.ts';
import { describeSize, formatSize, parseSize } from '../base/size.ts';
import { MemberClient } from '../redis/member-client.ts';
import { loadSpec } from '../spec/load.ts';
import { type SizeFigure, type SizeQuestion, sizeFor } from '../spec/sizing.ts';
import type { Persistence, Spec } from '../spec/spec.ts';
import type { Output } from './output.ts';
import { measureRdb } from './size-rdb.ts';
import { action, type CommonOptions, verb } from './verb.ts';

const SizeUnclear = defineError('SIZE_UNCLEAR', 2);

interface SizeOptions extends CommonOptions {
  data?: string;
  from?: string;
  rdb?: string;
  user?: string;
  clients?: string;
  writeRate?: string;
  outage: string;
}

/** `holdfast size`: memory and disk that a dataset needs, with the rules they come from. */
export function sizeVerb(): Command {
  return verb('size', 'memory and disk that a dataset needs', [
    ['holdfast size --data 8gb', 'three members, each on its own host'],
    ['holdfast size --data 8gb prod.yaml', 'for the members, hosts and persistence of a spec'],
    ['holdfast size --from 10.0.1.55:6379', 'measure a running server (password: REDISCLI_AUTH)'],
    ['holdfast size --rdb dump.rdb', 'estimate from an RDB file what its keys take in memory'],
  ])
    .argument('[spec]', 'the spec file; ./holdfast.yaml if there is one')
    .option('--data <size>', 'what the data takes in memory, such as 8gb')
    .option('--from <host:port>', 'ask a running server for its data, clients and writes per second')
    .option('--rdb <file>', 'an RDB file, plain or packed with gzip or zstd; - is stdin')
    .option('--user <name>', 'user to log in there with')
    .option('--clients <n>', 'client connections')
    .option('--write-rate <size>', 'bytes a second that writes add to the replication stream')
    .option('--outage <duration>', 'how long a replica may be away and still catch up', '10m')
    .action(action(size));
}

async function size(output: Output, args: string[], options: SizeOptions): Promise<void> {
  const file = args[0] ?? (existsSync('holdfast.yaml') ? 'holdfast.yaml' : undefined);
  const spec = file === undefined ? undefined : await loadSpec(file);
  const { dataBytes, measured } = await dataOf(output, options);
  if (dataBytes === undefined) {
    throw SizeUnclear('how much data is it?', {
      hint: 'Say --data 8gb, --from HOST:PORT to ask a server, or --rdb FILE.',
    });
  }
  const clients = options.clients === undefined ? (measured?.clients ?? 1000) : Number(options.clients);
  if (!Number.isSafeInteger(clients) || clients < 0)
    throw SizeUnclear(`--clients: found '${options.clients}'; a number`);
  const outageMs = parseDuration(options.outage);
  if (outageMs === undefined)
    throw SizeUnclear(`--outage: found '${options.outage}'; a duration such as 10m`);
  const rate =
    options.writeRate === undefined
      ? measured?.writeBytesPerSecond
      : sizeOption('--write-rate', options.writeRate);
  const question: SizeQuestion = {
    dataBytes,
    ...shapeOf(spec),
    clients,
    writeBytesPerSecond: rate ?? null,
    outageSeconds: Math.ceil(outageMs / 1000),
  };
  print(output, question, sizeFor(question));
}

/** How much data it is, by the one option that says it, and what a server said besides. */
async function dataOf(
  output: Output,
  { data, from, rdb, user }: SizeOptions,
): Promise<{ dataBytes?: number; measured?: Measured }> {
  if (rdb !== undefined && (data !== undefined || from !== undefined)) {
    throw SizeUnclear(`--rdb and ${data === undefined ? '--from' : '--data'} both say how much data it is`, {
      hint: 'Keep one of them.',
    });
  }
  if (rdb !== undefined) {
    const { dataBytes, keys, name } = await measureRdb(rdb, output);
    output.note(`${name}: ${keys} keys, about ${describeSize(dataBytes)} in memory.`);
    return { dataBytes };
  }
  const measured = from === undefined ? undefined : await measure(from, user, output);
  const dataBytes = data === undefined ? measured?.dataBytes : sizeOption('--data', data);
  return { ...(dataBytes === undefined ? {} : { dataBytes }), ...(measured ? { measured } : {}) };
}

function shapeOf(spec: Spec | undefined): {
  members: number;
  membersOnHost: number;
  persistence: Persistence;
  standalone: boolean;
} {
  if (!spec) return { members: 3, membersOnHost: 1, persistence: 'aof-everysec', standalone: false };
  const onHost = spec.hosts.map(({ id }) => spec.members.filter(({ host }) => host === id).length);
  return {
    members: spec.members.length,
    membersOnHost: Math.max(...onHost),
    persistence: spec.redis.persistence,
    standalone: spec.mirror !== null,
  };
}

function sizeOption(name: string, text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw SizeUnclear(`${name}: found '${text}'; a size such as 512mb or 8gb`);
  return bytes;
}

interface Measured {
  dataBytes: number;
  clients: number;
  writeBytesPerSecond: number | null;
}

const watchMs = 2000;

/** What a running server holds, and what its writes amount to over two seconds. */
async function measure(where: string, user: string | undefined, output: Output): Promise<Measured> {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(where);
  if (!match) throw SizeUnclear(`--from: found '${where}'; an address and a port such as 10.0.1.55:6379`);
  const password = process.env['REDISCLI_AUTH'];
  const client = new MemberClient({
    endpoint: { host: match[1] as string, port: Number(match[2]) },
    ...(password === undefined ? {} : { credentials: { username: user ?? 'default', password } }),
  });
  try {
    const before = await client.info();
    if (output.live) output.note(`watching the writes of ${where} for ${watchMs / 1000} s…`);
    await delay(watchMs);
    const after = await client.info();
    const written = Number(after['master_repl_offset'] ?? 0) - Number(before['master_repl_offset'] ?? 0);
    return {
      dataBytes: Number(after['used_memory_dataset'] ?? after['used_memory']),
      clients: Number(after['connected_clients']),
      // Without a replica the offset stands still, whatever is written.
      writeBytesPerSecond: after['connected_slaves'] === '0' ? null : Math.max(0, written / (watchMs / 1000)),
    };
  } finally {
    client.close();
  }
}

const names: Record<SizeFigure['key'], string> = {
  maxMemory: 'redis.maxMemory',
  backlog: 'replication backlog',
  replicaBuffers: 'replica buffers',
  clientBuffers: 'client buffers',
  memory: 'memory of a host',
  disk: 'disk of a host',
};

function print(output: Output, question: SizeQuestion, figures: readonly SizeFigure[]): void {
  const { members, membersOnHost, persistence } = question;
  output.line(
    `${describeSize(question.dataBytes)} of data, ${members} members, ${membersOnHost} on a host, ${persistence}:`,
  );
  for (const { key, bytes, rule, source } of figures) {
    output.text(
      `\n  ${names[key].padEnd(20)} ${output.colors.bold(formatSize(bytes).padStart(8))}   ${rule}`,
    );
    output.line(output.colors.dim(`  ${''.padEnd(32)}${source}`));
  }
  output.data({ question, figures });
}
