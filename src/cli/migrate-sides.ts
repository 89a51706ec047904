import type { Command } from 'commander';
import type { ConnectionOptions } from '../redis/connection.ts';
import { openSide } from './migrate-access.ts';
import { stateDirOption } from './verb.ts';

/** What the verbs take that look at a source and a target themselves. */
export interface SidesOptions {
  sourcePasswordFile?: string;
  targetPasswordFile?: string;
  sentinelPasswordFile?: string;
  sourceCa?: string;
  targetCa?: string;
  stateDir?: string;
}

export function withSides(command: Command): Command {
  return command
    .option('--source-password-file <file>', 'the source’s password, in a file that only its owner reads')
    .option('--target-password-file <file>', 'the target’s')
    .option('--sentinel-password-file <file>', 'the Sentinels’')
    .option('--source-ca <file>', 'certificate of the authority, for a source with TLS')
    .option('--target-ca <file>', 'the same for a target')
    .addOption(stateDirOption());
}

/** @throws what `openSide` throws */
export async function openSides(
  from: string,
  to: string,
  options: SidesOptions,
): Promise<{ source: ConnectionOptions; target: ConnectionOptions }> {
  const { sentinelPasswordFile, stateDir, sourcePasswordFile, sourceCa, targetPasswordFile, targetCa } =
    options;
  const both = { sentinelPasswordFile, stateDir };
  return {
    source: await openSide(from, { ...both, passwordFile: sourcePasswordFile, ca: sourceCa }),
    target: await openSide(to, { ...both, passwordFile: targetPasswordFile, ca: targetCa }),
  };
}
