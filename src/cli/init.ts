import { createReadStream, existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { errorCode, errorText } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import type { Engine } from '../init/engine-defaults.ts';
import { SourceUnreadable, SpecThere } from '../init/errors.ts';
import { type Chart, charts, foundInFiles } from '../init/files.ts';
import { type Found, withMore } from '../init/found.ts';
import { longestBytes, noConfiguration, refuseNoConfiguration } from '../init/no-configuration.ts';
import { type Access, observeSentinels, observeServers } from '../init/observe.ts';
import { plainSpec } from '../init/plain-spec.ts';
import { foundRunning } from '../init/running.ts';
import { parseSource, type Source } from '../init/source.ts';
import { specOf } from '../init/spec-of.ts';
import { noteText, specText } from '../init/spec-text.ts';
import type { TlsMaterial } from '../redis/endpoint.ts';
import { readPem } from '../redis/tls.ts';
import { parseSpec } from '../spec/parse.ts';
import { credentialsFrom } from './credentials.ts';
import { BadOption } from './errors.ts';
import { askEngine } from './init-engine.ts';
import type { Output } from './output.ts';
import { action, type CommonOptions, specArgument, verb } from './verb.ts';

interface InitOptions extends CommonOptions {
  from?: string[];
  chart?: Chart;
  name?: string;
  user?: string;
  passwordFile?: string;
  sentinelUser?: string;
  sentinelPasswordFile?: string;
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
  redisServer?: string;
  members?: string;
}

/** `holdfast init`: writes a first spec, or the one that describes what runs already. */
export function initVerb(): Command {
  const collect = (text: string, before: string[] = []) => [...before, text];
  return verb('init', 'write a spec: a first one, or the one that describes what runs already', [
    ['holdfast init', 'holdfast.yaml, with a comment for each key'],
    ['holdfast init --from sentinel://10.0.1.55:26379/mymaster', 'what these Sentinels watch'],
    ['holdfast init --from redis://10.0.1.55:6379', 'a server and its replicas'],
    [
      'holdfast init --from redis://127.0.0.1:6379 --members 3',
      'a server, and two more beside it: for holdfast adopt',
    ],
    ['holdfast init --from redis.conf --from sentinel.conf', 'from their files'],
    ['holdfast init --from values.yaml', 'from values of the charts bitnami/redis or dandydev/redis-ha'],
  ])
    .argument(...specArgument)
    .option('--from <source>', 'servers, Sentinels or files; files may be several', collect)
    .addOption(
      new Option('--chart <chart>', 'whose values a file holds, where it does not show').choices(charts),
    )
    .option('--name <name>', 'what the deployment is called, instead of what the Sentinels call it')
    .option('--members <count>', 'so many at least: beside those found, at the ports behind theirs')
    .option('--user <user>', 'who asks the servers (default with a password: default)')
    .option('--password-file <file>', 'the password for it, in a file that only its owner reads')
    .option('--sentinel-user <user>', 'who asks the Sentinels')
    .option('--sentinel-password-file <file>', 'the password there')
    .option('--tls-ca <file>', 'certificate of the authority, for rediss:// and sentinels://')
    .option('--tls-cert <file>', 'certificate to show them')
    .option('--tls-key <file>', 'its key')
    .option(
      '--redis-server <program>',
      'the engine whose defaults need not be said (default: the one installed)',
    )
    .action(action<InitOptions>((output, [file = ''], options) => init(output, file, options)));
}

async function init(output: Output, file: string, options: InitOptions): Promise<void> {
  // Before anything is asked: what is there stays.
  if (existsSync(file)) throw specThere(file);
  const members = memberCount(options);
  if (options.from === undefined) {
    await write(file, plainSpec(options.name ?? 'redis'));
    output.data({ file, notCarried: [] });
    output.line(`wrote ${file}: holdfast up starts what it says`);
    return;
  }
  const source = parseSource(options.from);
  const engine = await askEngine(options.redisServer);
  if (engine === null && source.kind !== 'files') {
    throw SourceUnreadable('there is no redis-server or valkey-server on this machine', {
      hint: 'It is started for a moment, to know what is a default and what was chosen. Install one, or name it with --redis-server.',
    });
  }
  const found = await findOut(source, options, engine);
  const made = specOf({ ...withMore(found, members), name: options.name ?? found.name });
  const heading = [
    `Written by holdfast init from ${options.from.join(' and ')}.`,
    ...(engine === null ? [] : [`What is not said here is as ${engine.name} or holdfast has it.`]),
  ];
  const text = specText(made, heading);
  await write(file, text);
  const notCarried = made.notCarried.map(({ path: at, what, why }) => ({ path: at.join('.'), what, why }));
  output.data({ file, notCarried });
  for (const note of made.notCarried)
    output.note(`${output.colors.yellow(note.path.join('.'))}: ${noteText(note)}`);
  output.line(`wrote ${file}`);
  // It is written in any case: what a person has to decide is easiest decided there.
  parseSpec(text, file);
}

/** @throws BAD_OPTION */
function memberCount({ members, from }: InitOptions): number {
  if (members === undefined) return 0;
  if (from === undefined) {
    throw BadOption('--members goes with --from', { hint: 'A first spec says redis.members itself.' });
  }
  if (/^[1-9]\d?$/.test(members) && Number(members) <= 50) return Number(members);
  throw BadOption(`--members: '${members}' is no number from 1 to 50`, { hint: 'For example 3.' });
}

async function findOut(source: Source, options: InitOptions, engine: Engine | null): Promise<Found> {
  const known = engine ?? { name: 'no engine', defaults: {} };
  if (source.kind === 'files') {
    const files = await Promise.all(
      source.files.map(async (name) => ({ file: name, text: await readText(name) })),
    );
    return foundInFiles(files, options.chart, known);
  }
  const access = accessOf(options, source.username, source.tls);
  const { members, missing, sentinels } =
    source.kind === 'server'
      ? await observeServers(source.at, access)
      : await observeSentinels(source.at, source.name, access);
  return foundRunning(members, missing, sentinels, known);
}

function accessOf(options: InitOptions, username: string, isTls: boolean): Access {
  const tls: TlsMaterial = {
    ...(options.tlsCa ? { ca: readPem('--tls-ca', options.tlsCa) } : {}),
    ...(options.tlsCert ? { cert: readPem('--tls-cert', options.tlsCert) } : {}),
    ...(options.tlsKey ? { key: readPem('--tls-key', options.tlsKey, readSecretFile) } : {}),
  };
  return {
    credentials: credentialsFrom(options.user ?? username, options.passwordFile),
    sentinelCredentials: credentialsFrom(options.sentinelUser, options.sentinelPasswordFile),
    tls: isTls ? tls : undefined,
  };
}

/** @throws INIT_SOURCE_UNREADABLE, INIT_SOURCE_UNKNOWN */
async function readText(file: string): Promise<string> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of createReadStream(file, { end: longestBytes })) pieces.push(piece as Buffer);
  } catch (cause) {
    if (errorCode(cause) === 'EISDIR') throw noConfiguration(`${file} is a folder`, 'Name a file in it.');
    throw SourceUnreadable(`cannot read ${file}: ${errorText(cause)}`, {
      hint: 'Name a file, or an address: redis://HOST:PORT, sentinel://HOST:PORT/NAME.',
      cause,
    });
  }
  const bytes = Buffer.concat(pieces);
  refuseNoConfiguration(file, bytes);
  return bytes.toString('utf8');
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(path.resolve(file), text, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw specThere(file);
    throw error;
  }
}

function specThere(file: string): Error {
  return SpecThere(`${file} is there already, and is not overwritten`, {
    hint: 'Name another file: holdfast init other.yaml',
  });
}
