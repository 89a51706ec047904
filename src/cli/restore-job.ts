import type { RestoreFacts } from '../agent/restore/restore-checks.ts';
import type { PreparedRdb } from '../backup/restore-file.ts';
import type { RestoreSource } from '../backup/restore-source.ts';
import type { Taker } from '../backup/restore-taker.ts';
import type { Output } from './output.ts';
import type { Target } from './target.ts';
import type { CommonOptions } from './verb.ts';

export interface RestoreOptions extends CommonOptions {
  stateDir?: string;
  replace?: boolean;
  safetyBackup: boolean;
  dropUnsupported?: boolean;
  match?: string[];
  db?: string[];
  prefix?: string;
  identity?: string;
  workDir?: string;
  /** The agent's job that this is the work of. */
  job?: string;
}

/** What both ways of restoring need. */
export interface RestoreJob {
  output: Output;
  target: Target;
  options: RestoreOptions;
  source: RestoreSource;
  facts: RestoreFacts;
  taker: Taker;
  prepared: PreparedRdb;
  /** The prepared RDB. */
  file: string;
  say(step: string): void;
  signal: AbortSignal;
}
