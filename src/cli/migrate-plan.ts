/** From the options of `holdfast migrate` to the sides of its plan. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Method } from '../migrate/method.ts';
import { isFile, type Plan } from '../migrate/plan.ts';
import type { Kind } from '../rdb/format.ts';
import type { OnConflict } from '../rdb/merge-input.ts';
import { BadOption } from './errors.ts';
import { targetPlace } from './migrate-access.ts';
import type { Preflight } from './migrate-run.ts';
import { passwordFiles } from './password-files.ts';
import type { CommonOptions } from './verb.ts';

export interface MigrateOptions extends CommonOptions {
  to?: string;
  user?: string;
  sourcePasswordFile?: string;
  targetPasswordFile?: string;
  sentinelPasswordFile?: string;
  sourceCa?: string;
  targetCa?: string;
  targetStateDir?: string;
  db?: string[];
  prefix?: string[];
  match?: string[];
  types?: Kind[];
  onConflict: OnConflict;
  maxRate: number;
  maxLag?: number;
  stateDir?: string;
  preflight?: boolean;
  method: Method;
  explain?: boolean;
}

/** @throws BAD_OPTION */
export function refuseWhatOnlyFilesCan(
  sources: Plan['sources'],
  { onConflict, method, types }: MigrateOptions,
): void {
  const server = sources.find(({ url }) => !isFile(url));
  if (server === undefined) return;
  if (onConflict === 'first' || onConflict === 'newest-expiry') {
    throw BadOption(`--on-conflict ${onConflict} is for files, and ${server.url} is a server`, {
      hint: 'What follows from a server would be about a key that is not its own any more. Say fail or last, or give each source a --prefix or a --db.',
    });
  }
  if (types !== undefined && method === 'replication') {
    throw BadOption(
      '--types can’t be kept to by replication: of what type a key is that a command names, only the server knows',
      {
        hint: 'Say --method scan, or leave --method out.',
      },
    );
  }
}

export function targetOf(to: string, options: MigrateOptions): Plan['target'] {
  if (to.includes('://')) {
    return { url: to, passwordFile: absolute(options.targetPasswordFile), ca: absolute(options.targetCa) };
  }
  return { spec: path.resolve(to), user: options.user ?? null, stateDir: absolute(options.targetStateDir) };
}

/** @throws BAD_OPTION */
export function sourcesOf(urls: readonly string[], options: MigrateOptions): Plan['sources'] {
  const sources = { count: urls.length, what: 'sources' };
  const files = passwordFiles('--source-password-file', options.sourcePasswordFile, sources);
  const prefixes = options.prefix ?? [];
  if (prefixes.length > 1 && prefixes.length !== urls.length) {
    throw BadOption(`--prefix is given ${prefixes.length} times for ${urls.length} sources`, {
      hint: 'Say it once for all, or once for each in their order; --prefix "" for none.',
    });
  }
  const moves = (options.db ?? []).map((text) => moveOf(text, urls.length));
  return urls.map((url, index) => ({
    url: isFile(url) ? absoluteFile(url) : url,
    passwordFile: absolute(files[index]),
    sentinelPasswordFile: absolute(options.sentinelPasswordFile),
    ca: absolute(options.sourceCa),
    dbs: moves
      .filter(({ source }) => source === undefined || source === index + 1)
      .map(({ from, to }): [number, number] => [from, to]),
    prefix: (prefixes.length > 1 ? prefixes[index] : prefixes[0]) ?? '',
    match: options.match ?? [],
    types: options.types ?? [],
    owned: [],
  }));
}

/** The plan may be taken up from another working directory. */
function absoluteFile(url: string): string {
  if (url.startsWith('s3://')) return url;
  return url.startsWith('file://') ? fileURLToPath(url) : path.resolve(url);
}

function moveOf(text: string, sources: number): { source: number | undefined; from: number; to: number } {
  const match = /^(?:(\d+):)?(\d{1,5})=(\d{1,5})$/.exec(text);
  const source = match?.[1] === undefined ? undefined : Number(match[1]);
  if (match && (source === undefined || (source >= 1 && source <= sources))) {
    return { source, from: Number(match[2]), to: Number(match[3]) };
  }
  throw BadOption(`--db ${text} moves nothing`, {
    hint: 'Say FROM=TO, or SOURCE:FROM=TO with sources from 1.',
  });
}

function absolute(file: string | undefined): string | null {
  return file === undefined ? null : path.resolve(file);
}

/** By scan nothing is written over, nor deleted, that may be somebody else's, unless that was said. @throws BAD_OPTION */
export async function withOwned(
  { sources, target }: Pick<Plan, 'sources' | 'target'>,
  looked: Preflight,
  { onConflict }: MigrateOptions,
): Promise<Plan['sources']> {
  const servers = sources.filter(({ url }) => !isFile(url));
  const { ownedParts } = await import('../migrate/scan/owned.ts');
  const parts = servers.map(({ url, prefix, dbs }) => ({
    prefix,
    dbs,
    sourceDbs: looked.sources.find(({ name }) => name === url)?.databases.map(({ db }) => db) ?? [],
  }));
  const filePrefixes = sources.filter(({ url }) => isFile(url)).map(({ prefix }) => prefix);
  const owned = await ownedParts(await targetPlace(target), parts, filePrefixes);
  const notAlone = servers.find(
    (_, index) => owned[index]?.length === 0 && parts[index]!.sourceDbs.length > 0,
  );
  if (notAlone !== undefined && onConflict === 'fail') {
    throw BadOption(`where the keys of ${notAlone.url} would go there are others, or come others`, {
      hint: 'Take an empty target, or give each source a --prefix of its own, or each server a --db; --on-conflict last writes over what has the same name.',
    });
  }
  return sources.map((source) => {
    const at = servers.indexOf(source);
    return at === -1 ? source : { ...source, owned: owned[at] ?? null };
  });
}
