import { InvalidArgumentError, Option } from 'commander';
import { defineError } from '../base/errors.ts';
import type { FileHeader } from '../rdb/format.ts';
import { type Target, targetOfInputs, targetOfServer, targetOfVersion } from '../rdb/target.ts';

/** Options that several RDB verbs take. Commander turns an InvalidArgumentError into exit status 2. */

export const RdbOptionWrong = defineError('RDB_OPTION_WRONG', 2);

export interface TargetOptions {
  targetVersion?: number;
  for?: string;
  dropUnsupported?: boolean;
  passwordFile?: string;
  ca?: string;
}

export function targetOptions(): Option[] {
  return [
    new Option('--target-version <n>', 'write this RDB version: 6 to 13, or 80 for Valkey 9').argParser(
      wholeNumber,
    ),
    new Option(
      '--for <server>',
      'write what this server can load: redis-7.0, valkey-8…, or redis://[user@]host:port, which is asked',
    ).conflicts('targetVersion'),
    new Option('--password-file <file>', 'the password of that server, in a file that only its owner reads'),
    new Option('--ca <file>', 'certificate of the authority, for that server with TLS'),
    new Option('--drop-unsupported', 'leaving out what the target cannot load is meant: no exit status 3'),
  ];
}

/** The target asked for; undefined when none was. A server that is named by its URL is asked what it is. */
export async function chosenTarget(options: TargetOptions): Promise<Target | undefined> {
  if (options.for !== undefined && isServer(options.for)) {
    const { targetOfUrl } = await import('./rdb-server.ts');
    return await targetOfUrl(options.for, options);
  }
  if (options.for !== undefined) return targetOfServer(options.for);
  return options.targetVersion === undefined ? undefined : targetOfVersion(options.targetVersion);
}

/** Whether this names a server instead of a file: `redis://…`, `sentinel://…`, with TLS `rediss://…`, `sentinels://…`. */
export function isServer(name: string): boolean {
  return /^(rediss?|sentinels?):\/\//.test(name);
}

export async function targetFor(options: TargetOptions, header: FileHeader): Promise<Target> {
  return (await chosenTarget(options)) ?? targetOfInputs([header]);
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It is not a whole number.');
  return value;
}

export function share(text: string): number {
  const [, number, percent] = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text) ?? [];
  const value = Number(number) / (percent === '%' ? 100 : 1);
  if (!(value >= 0 && value <= 1))
    throw new InvalidArgumentError('Say a share from 0 to 1, or a percentage.');
  return value;
}

/** For options that may be given several times, or once with commas. */
export function collect(text: string, before: string[] = []): string[] {
  return [...before, ...text.split(',')];
}

/** For options whose text may itself have commas. */
export function collectWhole(text: string, before: string[] = []): string[] {
  return [...before, text];
}
